/**
 * How fast containers start, start again, are replaced, scale and roll, and what 60 of them cost at rest. Starts stand
 * beside the runtime alone: the same sandbox, container and start by bare CRI calls on the same containerd, with the
 * same network plugin, in turns. Needs root, containerd, runc and busybox-static.
 * `node bench/containers.ts [--n 10] [--burst 30] [--idle 30]`; about 7 minutes.
 *
 * Beside others, in the same run and by the same program, after Tutti is gone:
 * - a Kubernetes cluster that stands, by KUBERNETES_KUBECONFIG, KUBERNETES_IMAGE (of busybox) and, where it must be asked
 *   from elsewhere, KUBERNETES_ENTER (`nsenter --net=/var/run/netns/NAME`);
 * - Docker Swarm, by DOCKERD (its path; docker-init and docker-proxy in PATH or beside it).
 *
 * A second table has the same image under Tutti's own runtime, as on a machine without containerd.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { BUSYBOX, busyboxArchive } from '../src/agent/runtimes/containerd/busybox.fixture.ts'
import { openBareRuntime } from './lib/bare-runtime.ts'
import { median, progress, type Row, sleep, table, worst } from './lib/measure.ts'
import { BUSYBOX_WEB, type PodFigures, podFigures, podRows } from './lib/pod-figures.ts'
import { openPodLoad, type PodLoad } from './lib/pod-load.ts'
import { cpuMicros, descendants, memoryBytes } from './lib/processes.ts'
import { type SwarmFigures, swarmFigures } from './lib/swarm.ts'
import { startTutti, tutti } from './lib/targets.ts'

const { values } = parseArgs({
  options: {
    n: { type: 'string', default: '10' },
    burst: { type: 'string', default: '30' },
    idle: { type: 'string', default: '30' },
  },
})
const N = Number(values.n)
const BURST = Number(values.burst)
const IDLE_SECONDS = Number(values.idle)
const RESTING = 60
/** Starts that the agent lets go on at once: the runtime alone gets the same. */
const AT_ONCE = 8

process.env.TUTTI_UP ??= '--runtime containerd'
const rows: Row[] = []
const folder = mkdtempSync(join(tmpdir(), 'tutti-bench-containers-'))

/**
 * One pod and many at once, beside the runtime alone, in turn, so that both meet the same machine. A containerd's first
 * sandbox takes longer, whoever asks for it: here it is the runtime's alone, and stands beside `first`, a pod that was
 * the first of another cluster.
 */
async function besideTheRuntime(load: PodLoad, dataDir: string, first: number): Promise<Row[]> {
  progress('starts beside the runtime alone')
  const bare = await openBareRuntime(dataDir, BUSYBOX)
  const startAlone = async () => {
    await sleep(700)
    const began = performance.now()
    const sandbox = await bare.start()
    const took = performance.now() - began
    await bare.end(sandbox)
    return took
  }
  const firstAlone = await startAlone()
  const own: number[] = []
  const alone: number[] = []
  for (let turn = 0; turn < Math.ceil(N * 1.5); turn++) {
    await sleep(700)
    own.push(await load.start())
    alone.push(await startAlone())
  }
  progress('bursts')
  const bursts: number[] = []
  const bareBursts: number[] = []
  for (let turn = 0; turn < 2; turn++) {
    await sleep(2000)
    bursts.push(await load.burst(BURST))
    await sleep(2000)
    bareBursts.push(await bare.burst(BURST, AT_ONCE))
  }
  bare.close()
  const row = (what: string, tuttis: number, runtime: number): Row => ({
    what,
    unit: 'ms',
    figures: { Tutti: tuttis, 'containerd alone': runtime },
    lessIsBetter: true,
  })
  return [
    row('first container pod of a fresh cluster → Ready', first, firstAlone),
    row(`container pod created → Ready, median of ${own.length}`, median(own), median(alone)),
    row('container pod created → Ready, p99', worst(own), worst(alone)),
    row(
      `${BURST} pods created at once → all Ready, better of ${bursts.length}`,
      Math.min(...bursts),
      Math.min(...bareBursts),
    ),
  ]
}

/** What containers at rest cost: everything but their shims. `when` says what came before. */
async function atRest(load: PodLoad, pid: number, when: string): Promise<Row[]> {
  progress(`rest ${when}`)
  await load.rest(RESTING)
  // What the burst has left behind is given back by then.
  await sleep(25_000)
  const pids = [pid, ...descendants(pid)]
  const before = cpuMicros(pids)
  await sleep(IDLE_SECONDS * 1000)
  const cpu = (cpuMicros(pids) - before) / 1e4 / IDLE_SECONDS
  const figures = (value: number) => ({ Tutti: value })
  const memory = (all: readonly number[]) => figures(memoryBytes(all).rss / 1e6)
  return [
    { what: `${RESTING} pods at rest ${when}: CPU over ${IDLE_SECONDS} s`, unit: '% of a core', figures: figures(cpu) },
    { what: `${RESTING} pods at rest ${when}: memory of everything but shims`, unit: 'MB', figures: memory(pids) },
    { what: `${RESTING} pods at rest ${when}: memory of Tutti alone`, unit: 'MB', figures: memory([pid]) },
  ]
}

const {
  KUBERNETES_KUBECONFIG: kubeconfig,
  KUBERNETES_IMAGE: image,
  KUBERNETES_ENTER: enter = '',
  DOCKERD,
} = process.env
const besidePeer = kubeconfig !== undefined && image !== undefined
const all: Record<string, PodFigures> = {}
const starts = besidePeer ? Math.ceil(N / 2) : 0
const further = process.env.TUTTI_UP.split(' ')
const firstStart = await withTutti(further, async (load, target) => {
  const took = await load.start()
  rows.push(...(await atRest(load, target.pids[0]!, 'after a start')))
  return took
})
await withTutti(further, async (load, target) => {
  rows.push(...(await besideTheRuntime(load, target.dataDir, firstStart)))
  all.Tutti = await podFigures(load, N, starts)
  rows.push(...(await atRest(load, target.pids[0]!, 'after all this')))
})
progress('the runtime of its own')
const own = await withTutti(['--runtime', 'process'], load => podFigures(load, N, N))

if (besidePeer) {
  progress('Kubernetes')
  const program = [process.execPath, join(import.meta.dirname, 'lib/pod-figures.ts')]
  const [command, ...words] = [...enter.split(' ').filter(Boolean), ...program]
  const asked = [...words, '--kubeconfig', kubeconfig, '--image', image, '--n', String(Math.ceil(N / 2))]
  all.Kubernetes = JSON.parse(execFileSync(command!, asked, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }))
}
rows.push(...podRows(all, 'container', besidePeer))
const withoutRuntime = { 'Tutti without containerd': own, ...all }
const ownRows = podRows(withoutRuntime, 'container', true)
if (DOCKERD) {
  progress('Docker Swarm')
  const figures = await swarm(DOCKERD)
  rows.push(...beside('Tutti', all.Tutti!, figures))
  ownRows.push(...beside('Tutti without containerd', own, figures))
}
console.log(table(rows))
console.log(`\n${table(ownRows)}`)
rmSync(folder, { recursive: true, force: true })
process.exit(0)

/** Runs `work` on a Tutti of its own that has the image. */
async function withTutti<T>(
  further: readonly string[],
  work: (load: PodLoad, target: Awaited<ReturnType<typeof startTutti>>) => Promise<T>,
): Promise<T> {
  const target = await startTutti(further)
  try {
    writeFileSync(join(folder, 'busybox.tar'), busyboxArchive())
    await tutti(['image', 'import', join(folder, 'busybox.tar'), '--data-dir', target.dataDir])
    const options = { kubeconfig: target.kubeconfig, image: BUSYBOX, web: BUSYBOX_WEB, services: true }
    const load = await openPodLoad(options)
    const result = await work(load, target)
    await load.close()
    return result
  } finally {
    await target.stop()
  }
}

/** The files of the image that the others run, too. */
function swarm(dockerd: string): Promise<SwarmFigures> {
  const files = join(folder, 'files')
  const rootfs = join(folder, 'files.tar')
  execFileSync('sh', [
    '-c',
    'mkdir -p "$0/bin" "$0/tmp" && cp /bin/busybox "$0/bin" && ln -s busybox "$0/bin/sleep"',
    files,
  ])
  execFileSync('tar', ['-cf', rootfs, '-C', files, '.'])
  return swarmFigures(dockerd, rootfs)
}

/** Rows of what Swarm was asked, too. */
function beside(name: string, own: PodFigures, other: SwarmFigures): Row[] {
  const row = (what: string, times: readonly number[], ms: number): Row => ({
    what,
    unit: 'ms',
    lessIsBetter: true,
    figures: { [name]: median(times), 'Docker Swarm': ms },
  })
  return [
    row('20 replicas → all run', own.twenty, other.twenty),
    row('20 → 60, all run', own.sixty, other.sixty),
    row('process of one killed → as many run again', own.kill, other.kill),
  ]
}
