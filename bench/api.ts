/**
 * Reads and writes through the API in JSON and in protobuf: creates one at a time and 64 side by side, updates, gets,
 * LISTs of some MB, deletes, and watch fan-out. `node bench/api.ts [--n 3000] [--watchers 100]`. Beside a real
 * kube-apiserver with etcd where KUBERNETES_BIN names a folder with the binaries.
 */
import { parseArgs } from 'node:util'
import { PROTOBUF } from '../src/api/machinery/protobuf/envelope.ts'
import { protobufOf } from '../src/api/machinery/protobuf.ts'
import type { BenchCluster } from './lib/cluster.ts'
import { driveEach } from './lib/drive-each.ts'
import { measure, type Rate, sleep, table } from './lib/measure.ts'
import { cpuMicros } from './lib/processes.ts'
import type { Target } from './lib/targets.ts'

const { values } = parseArgs({
  options: { n: { type: 'string', default: '3000' }, watchers: { type: 'string', default: '100' } },
})
const N = Number(values.n)
const WATCHERS = Number(values.watchers)
const WIDTH = 64
const value = 'x'.repeat(1000)
const configMap = (name: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels: { app: 'load' } },
  data: { value },
})
const configMapMessage = (name: string) => protobufOf(configMap(name))
const WIRE = { contentType: PROTOBUF, accept: PROTOBUF }

/** With the CPU that the server spent on each, in microseconds: what a busy machine changes least. */
interface Cost extends Rate {
  readonly cpu: number
}

interface Figures {
  serial: Rate
  create: Cost
  update: Cost
  get: Cost
  list: Cost
  wireCreate: Cost
  wireGet: Cost
  wireList: Cost
  wireListBytes: number
  listBytes: number
  remove: Rate
  createWatched: Rate
  /** CPU of the server for one event delivered, the creates included, in microseconds. */
  eventCpu: number
  eventsPerSecond: number
}

async function drive(cluster: BenchCluster, { pids }: Target): Promise<Figures> {
  const cost = async (n: number, width: number, work: (index: number) => Promise<unknown>): Promise<Cost> => {
    const before = cpuMicros(pids)
    const rate = await measure(n, width, work)
    return { ...rate, cpu: (cpuMicros(pids) - before) / n }
  }
  const namespace = `load-${process.pid}`
  await cluster.call('POST', '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace },
  })
  const base = `/api/v1/namespaces/${namespace}/configmaps`
  // Servers run for long: what is measured is the compiled code, for Go from the start and for Node after a while.
  await measure(2000, 16, i => cluster.call('POST', base, configMap(`warm-${i}`)))
  const serial = await measure(500, 1, i => cluster.call('POST', base, configMap(`s-${i}`)))
  const saved: string[] = []
  const create = await cost(N, WIDTH, async i => {
    saved[i] = (await cluster.call('POST', base, configMap(`c-${i}`), { keep: true })).text()
  })
  const update = await cost(N, WIDTH, i =>
    cluster.call('PUT', `${base}/c-${i}`, { ...JSON.parse(saved[i]!), data: { value: `${i}${value}` } }),
  )
  const get = await cost(N, WIDTH, i => cluster.call('GET', `${base}/c-${i}`))
  let listBytes = 0
  const list = await cost(40, 2, async () => {
    listBytes = (await cluster.call('GET', base)).bytes
  })
  await measure(1000, 16, i => cluster.call('POST', base, configMapMessage(`pw-${i}`), WIRE))
  const wireCreate = await cost(N, WIDTH, i => cluster.call('POST', base, configMapMessage(`p-${i}`), WIRE))
  const wireGet = await cost(N, WIDTH, i => cluster.call('GET', `${base}/p-${i}`, undefined, WIRE))
  let wireListBytes = 0
  await cluster.call('GET', base, undefined, WIRE)
  const wireList = await cost(40, 2, async () => {
    wireListBytes = (await cluster.call('GET', base, undefined, WIRE)).bytes
  })
  const remove = await measure(N, WIDTH, i => cluster.call('DELETE', `${base}/c-${i}`))

  // Watch fan-out: every watcher must see every create.
  let delivered = 0
  let last = 0
  const watched = `/api/v1/namespaces/${namespace}-w/configmaps`
  await cluster.call('POST', '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: `${namespace}-w` },
  })
  await sleep(300)
  const before = JSON.parse((await cluster.call('GET', watched, undefined, { keep: true })).text()).metadata
    .resourceVersion
  const stops = Array.from({ length: WATCHERS }, () =>
    cluster.watch(`${watched}?watch=true&resourceVersion=${before}`, chunk => {
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) delivered++
      last = performance.now()
    }),
  )
  await sleep(500)
  const began = performance.now()
  delivered = 0
  const cpuBefore = cpuMicros(pids)
  const createWatched = await measure(N, WIDTH, i => cluster.call('POST', watched, configMap(`w-${i}`)))
  const wanted = WATCHERS * N
  for (const end = performance.now() + 30_000; delivered < wanted && performance.now() < end; ) await sleep(5)
  // A server may cut off watchers that fall behind: the rate is that of what arrived, and the loss is told.
  if (delivered < wanted) console.error(`${cluster.name}: only ${delivered} of ${wanted} watch events arrived`)
  const eventCpu = (cpuMicros(pids) - cpuBefore) / delivered
  const eventsPerSecond = (delivered / (last - began)) * 1000
  for (const stop of stops) stop()
  for (const name of [namespace, `${namespace}-w`]) await cluster.call('DELETE', `/api/v1/namespaces/${name}`)
  const json = { serial, create, update, get, list, listBytes, remove, createWatched, eventCpu, eventsPerSecond }
  return { ...json, wireCreate, wireGet, wireList, wireListBytes }
}

const pick = await driveEach(drive)
console.log(
  table([
    pick('create, one at a time', '/s', f => f.serial.perSecond),
    pick('create, one at a time, p50', 'ms', f => f.serial.p50, true),
    pick(`create, ${WIDTH} in flight`, '/s', f => f.create.perSecond),
    pick(`create, ${WIDTH} in flight, p99`, 'ms', f => f.create.p99, true),
    pick(`update, ${WIDTH} in flight`, '/s', f => f.update.perSecond),
    pick(`get, ${WIDTH} in flight`, '/s', f => f.get.perSecond),
    pick('LIST, 2 in flight', '/s', f => f.list.perSecond),
    pick('LIST, size', 'MB', f => f.listBytes / 1e6, true),
    pick(`protobuf: create, ${WIDTH} in flight`, '/s', f => f.wireCreate.perSecond),
    pick(`protobuf: get, ${WIDTH} in flight`, '/s', f => f.wireGet.perSecond),
    pick('protobuf: LIST, 2 in flight', '/s', f => f.wireList.perSecond),
    pick('protobuf: LIST, size', 'MB', f => f.wireListBytes / 1e6, true),
    pick(`delete, ${WIDTH} in flight`, '/s', f => f.remove.perSecond),
    pick(`create with ${WATCHERS} watchers`, '/s', f => f.createWatched.perSecond),
    pick(`watch events delivered, ${WATCHERS} watchers`, '/s', f => f.eventsPerSecond),
  ]),
)
console.log('\nCPU of the server, all its processes and threads:\n')
console.log(
  table([
    pick('create', 'µs', f => f.create.cpu, true),
    pick('update', 'µs', f => f.update.cpu, true),
    pick('get', 'µs', f => f.get.cpu, true),
    pick('LIST', 'ms', f => f.list.cpu / 1000, true),
    pick('protobuf: create', 'µs', f => f.wireCreate.cpu, true),
    pick('protobuf: get', 'µs', f => f.wireGet.cpu, true),
    pick('protobuf: LIST', 'ms', f => f.wireList.cpu / 1000, true),
    pick(`event delivered, ${WATCHERS} watchers`, 'µs', f => f.eventCpu, true),
  ]),
)
process.exit(0)
