/**
 * What a joined machine's own program costs: its memory and CPU at rest, alone and with 100 pods of one process or
 * container each. Machines are network namespaces. Needs root, nftables and kubectl (test/tools.ts fetches it);
 * containers need containerd, runc and busybox-static, and are left out where those are missing.
 * `node bench/node.ts [--pods 100] [--idle 30]`; about 3 minutes.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { BUSYBOX, busyboxArchive, busyboxProblem } from '../src/agent/runtimes/containerd/busybox.fixture.ts'
import { findPrograms } from '../src/agent/runtimes/containerd/find.ts'
import { type Machine, startMachines } from '../test/e2e/machines.ts'
import { progress, type Row, sleep, table } from './lib/measure.ts'
import { cpuMicros, memoryBytes } from './lib/processes.ts'
import { program } from './lib/targets.ts'

const { values } = parseArgs({
  options: { pods: { type: 'string', default: '100' }, idle: { type: 'string', default: '30' } },
})
const PODS = Number(values.pods)
const IDLE_SECONDS = Number(values.idle)
/** What a burst has left behind is given back by then, ms. */
const SETTLED_MS = 25_000

interface Kind {
  /** `process`. */
  readonly name: string
  readonly runtime: string
  readonly spec: object
}
const command = ['sleep', '36000']
const processes: Kind = {
  name: 'process',
  runtime: 'process',
  spec: { runtimeClassName: 'process', containers: [{ name: 'c', image: 'host', command }] },
}
const containers: Kind = {
  name: 'container',
  runtime: 'containerd',
  spec: { containers: [{ name: 'c', image: BUSYBOX, command }] },
}
const hasContainers = !('missing' in (await findPrograms(process.env.PATH ?? ''))) && busyboxProblem() === undefined
const kinds = hasContainers ? [processes, containers] : [processes]

const machines = await startMachines(1 + kinds.length)
const [server, ...nodes] = machines.all as [Machine, ...Machine[]]

/** Runs `tutti ARGS` as it is built there. */
async function tutti(machine: Machine, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await machine.run(program[0], [...program.slice(1), ...args])
  if (code !== 0) throw new Error(`tutti ${args.join(' ')} ended with ${code}: ${stderr}`)
  return stdout
}

async function atRest(machine: Machine, what: string): Promise<Row[]> {
  await sleep(SETTLED_MS)
  const pids = [machine.pid()!]
  const before = cpuMicros(pids)
  await sleep(IDLE_SECONDS * 1000)
  const cpu = (cpuMicros(pids) - before) / 1e4 / IDLE_SECONDS
  const { own, pss, rss } = memoryBytes(pids)
  const memory = (which: string, bytes: number): Row => ({
    what: `${what}: ${which}`,
    unit: 'MB',
    figures: { Tutti: bytes / 1e6 },
  })
  return [
    memory('memory of its own', own),
    memory('with its share of what it has in common with others', pss),
    memory('resident', rss),
    { what: `${what}: CPU over ${IDLE_SECONDS} s`, unit: '% of a core', figures: { Tutti: cpu } },
  ]
}

async function measure(machine: Machine, { name, runtime, spec }: Kind, join: readonly string[]): Promise<Row[]> {
  progress(`a node of ${name} pods joins`)
  await tutti(machine, ...join, '--node-name', machine.nodeName, '--runtime', runtime)
  const rows = await atRest(machine, `a joined node without pods (${runtime})`)
  if (runtime === 'containerd') await tutti(server, 'image', 'import', archive, '--node', machine.nodeName)
  progress(`${PODS} ${name} pods`)
  const app = `rest-${name}`
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: app },
    spec: {
      replicas: PODS,
      selector: { matchLabels: { app } },
      template: {
        metadata: { labels: { app } },
        spec: {
          ...spec,
          nodeSelector: { 'kubernetes.io/hostname': machine.nodeName },
          terminationGracePeriodSeconds: 1,
        },
      },
    },
  }
  await machines.kubectl(['create', '-f', '-'], JSON.stringify(deployment))
  await machines.kubectl(['rollout', 'status', `deployment/${app}`, '--timeout=280s'])
  return [...rows, ...(await atRest(machine, `with ${PODS} ${name} pods`))]
}

const archive = join(machines.folder, 'busybox.tar')
if (hasContainers) writeFileSync(archive, busyboxArchive())
const rows: Row[] = []
try {
  const own = ['--node-name', server.nodeName, '--kubeconfig', machines.kubeconfig]
  await tutti(server, 'up', '--advertise-address', server.address, '--runtime', 'process', ...own)
  const joining = (await tutti(server, 'token', 'create')).trim().split(' ').slice(1)
  for (const [at, kind] of kinds.entries()) rows.push(...(await measure(nodes[at]!, kind, joining)))
} finally {
  await machines.close()
}
console.log(table(rows))
