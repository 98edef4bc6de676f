/**
 * How fast containers start, seen through a watch, beside the runtime alone: the same sandbox, container and start by
 * bare CRI calls on the same containerd, with the same network plugin. Needs root, containerd, runc and busybox-static.
 * `node bench/containers.ts [--n 15] [--burst 30]`.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { BUSYBOX, busyboxArchive } from '../src/agent/runtimes/containerd/busybox.fixture.ts'
import { openChannel } from '../src/agent/runtimes/cri/channel.ts'
import { criCalls } from '../src/agent/runtimes/cri/services.ts'
import { connectBench } from './lib/cluster.ts'
import { createFollower, isReady, type PodState } from './lib/follow.ts'
import { median, quantile, type Row, sleep, table } from './lib/measure.ts'
import { startTutti, tutti } from './lib/targets.ts'

const { values } = parseArgs({
  options: { n: { type: 'string', default: '15' }, burst: { type: 'string', default: '30' } },
})
const N = Number(values.n)
const BURST = Number(values.burst)
/** Starts that the agent lets go on at once: the runtime alone gets the same. */
const AT_ONCE = 8

process.env.TUTTI_UP ??= '--runtime containerd'
const target = await startTutti()
const folder = mkdtempSync(join(tmpdir(), 'tutti-bench-containers-'))
writeFileSync(join(folder, 'busybox.tar'), busyboxArchive())
await tutti(['image', 'import', join(folder, 'busybox.tar'), '--data-dir', target.dataDir])

const cluster = connectBench('Tutti', target.kubeconfig, 1)
const path = '/api/v1/namespaces/default/pods'
const { follow, until } = createFollower(cluster)
const pods = follow<PodState>(path)
const ready = (name: string) => isReady(pods.get(name))
const command = ['sleep', '36000']
const create = (name: string) =>
  cluster.call('POST', path, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      containers: [{ name: 'c', image: BUSYBOX, command }],
    },
  })
const remove = (name: string) => cluster.call('DELETE', `${path}/${name}?gracePeriodSeconds=0`)

/** The runtime alone. */
const config = readFileSync(join(target.dataDir, 'containerd/config.toml'), 'utf8')
const socket = /^address = "(.*)"$/m.exec(config)![1]!
const call = criCalls(await openChannel(socket))
const netns = `tutti-bench-${process.pid}`
execFileSync('ip', ['netns', 'add', netns])
async function bare(uid: string): Promise<string> {
  writeFileSync(
    join(dirname(socket), 'cni/pods', uid),
    `/var/run/netns/${netns}\n{"cniVersion":"0.4.0","ips":[{"version":"4","address":"192.0.2.1/32"}]}\n`,
  )
  mkdirSync(join(folder, uid))
  const sandboxConfig = {
    metadata: { name: uid, uid, namespace: 'bench', attempt: 0 },
    logDirectory: join(folder, uid),
    linux: {
      cgroupParent: `/tutti-bench/${uid}`,
      securityContext: { namespaceOptions: { network: 0, pid: 1, ipc: 0 } },
    },
  }
  const { podSandboxId } = await call('RunPodSandbox', { config: sandboxConfig })
  const container = {
    metadata: { name: 'c', attempt: 0 },
    image: { image: BUSYBOX },
    command,
    logPath: 'c.log',
    linux: { securityContext: { namespaceOptions: { network: 0, pid: 1, ipc: 0 } } },
  }
  const { containerId } = await call('CreateContainer', { podSandboxId, config: container, sandboxConfig })
  await call('StartContainer', { containerId })
  return podSandboxId
}
/** containerd leaves the groups of its pods behind. */
function removeGroups() {
  for (const hierarchy of readdirSync('/sys/fs/cgroup'))
    spawnSync('find', [`/sys/fs/cgroup/${hierarchy}/tutti-bench`, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';'])
}
async function end(sandbox: string) {
  await call('StopPodSandbox', { podSandboxId: sandbox })
  await call('RemovePodSandbox', { podSandboxId: sandbox })
}

const own: number[] = []
const alone: number[] = []
// In turn, so that both meet the same machine.
for (let at = 0; at < N; at++) {
  await sleep(700)
  let began = performance.now()
  await create(`one-${at}`)
  await until(`one-${at} is ready`, () => ready(`one-${at}`))
  own.push(performance.now() - began)
  await remove(`one-${at}`)
  await sleep(700)
  began = performance.now()
  const sandbox = await bare(`bare-${at}`)
  alone.push(performance.now() - began)
  await end(sandbox)
}

await sleep(1000)
let began = performance.now()
const names = Array.from({ length: BURST }, (_, at) => `many-${at}`)
for (const name of names) await create(name)
await until('all are ready', () => names.every(ready))
const ownBurst = performance.now() - began
await Promise.all(names.map(remove))
await until('all are gone', () => names.every(name => !pods.has(name)))
await sleep(3000)
began = performance.now()
const waiting = Array.from({ length: BURST }, (_, at) => `bare-many-${at}`)
const sandboxes: string[] = []
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let uid = waiting.shift(); uid; uid = waiting.shift()) sandboxes.push(await bare(uid))
  }),
)
const aloneBurst = performance.now() - began
for (const sandbox of sandboxes) await end(sandbox)

const high = (all: readonly number[]) =>
  quantile(
    [...all].sort((a, b) => a - b),
    0.99,
  )
const row = (what: string, tuttis: number, runtime: number): Row => ({
  what,
  unit: 'ms',
  figures: { Tutti: tuttis, 'containerd alone': runtime },
  lessIsBetter: true,
})
console.log(
  table([
    row(`container pod created to Ready, median of ${N}`, median(own), median(alone)),
    row(`the same, slowest of ${N}`, high(own), high(alone)),
    row(`${BURST} container pods created to all Ready`, ownBurst, aloneBurst),
  ]),
)
removeGroups()
cluster.close()
execFileSync('ip', ['netns', 'delete', netns])
await target.stop()
rmSync(folder, { recursive: true, force: true })
process.exit(0)
