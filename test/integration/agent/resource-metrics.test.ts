/** metrics.k8s.io, asked of real agents on the simulated runtime, by a clock that is set. */
import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { after, before, test } from 'node:test'
import { type Machine, thisMachine } from '../../../src/agent/node/machine.ts'
import { SIMULATE } from '../../../src/agent/runtimes/simulated/annotation.ts'
import type { Pod } from '../../../src/api/kinds/core/pod.ts'
import { type Cluster, startCluster } from '../../../src/cmd/testing.ts'
import type { Loose } from '../api/start.ts'
import { startSimulatedNode } from './simulated-node.ts'

const NODES = ['n1', 'n2']
const machine: Machine = {
  capacity: { cpu: '4', memory: '8Gi', pods: '110' },
  info: thisMachine(tmpdir()).info,
}
const nodes = new Map<string, Awaited<ReturnType<typeof startSimulatedNode>>>()
/** Nodes that do not answer. */
const silentNodes = new Set<string>()
let cluster: Cluster

before(async () => {
  const nodeApi = (name: string) => (silentNodes.has(name) ? undefined : nodes.get(name)?.agent.api)
  cluster = await startCluster({ clock: 'virtual', nodes: 0, nodeApi })
  for (const name of NODES) nodes.set(name, await startSimulatedNode(cluster, { name, machine }))
  await create(
    'web',
    'n1',
    { app: 'web' },
    { main: { cpu: '250m', memory: '64Mi' }, side: { cpu: '50m', memory: '1Mi' } },
  )
  await create('idle', 'n2', { app: 'idle' }, {})
  await create('done', 'n2', {}, { '*': { exitAfterMs: 10 } })
  await cluster.advance(20_000)
})
after(async () => {
  await Promise.all([...nodes.values()].map(node => node.close()))
  await cluster.stop()
})

const create = (name: string, nodeName: string, labels: Record<string, string>, script: object) =>
  cluster.create<Pod>({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels, annotations: { [SIMULATE]: JSON.stringify(script) } },
    spec: {
      nodeName,
      restartPolicy: 'Never',
      containers: ['main', 'side'].map(each => ({ name: each, image: 'anything:1' })),
    },
  } as Pod)

const ROOT = '/apis/metrics.k8s.io/v1beta1'
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io'

async function get(path: string, query: Record<string, string> = {}, accept?: string): Promise<Loose> {
  const asked = cluster.transport({ method: 'GET', path: `${ROOT}${path}`, query, ...(accept && { accept }) })
  const answered = { done: false }
  void asked.then(() => (answered.done = true))
  await cluster.until(async () => answered.done)
  return asked
}
const names = (reply: Loose) => reply.object.items.map((each: Loose) => each.metadata.name)

test('nodes use what their pods use, where no machine is there', async () => {
  const { object } = await get('/nodes')
  assert.deepEqual([object.kind, object.apiVersion], ['NodeMetricsList', 'metrics.k8s.io/v1beta1'])
  const usages = object.items.map(({ metadata, usage }: Loose) => [metadata.name, usage])
  assert.deepEqual(usages, [
    ['n1', { cpu: '300m', memory: '65Mi' }],
    ['n2', { cpu: '0', memory: '0' }],
  ])
  const one = (await get('/nodes/n1')).object
  assert.deepEqual([one.kind, one.window], ['NodeMetrics', '1s'])
  assert.match(one.timestamp, /^2026-01-01T00:00:\d\dZ$/)
})

test('pods that run have the usage of their containers, and the labels of the pods', async () => {
  const reply = await get('/pods')
  assert.deepEqual(names(reply), ['idle', 'web'])
  const { metadata, containers, timestamp, window } = (await get('/namespaces/default/pods/web')).object
  assert.deepEqual([metadata.namespace, metadata.labels], ['default', { app: 'web' }])
  assert.ok(metadata.creationTimestamp && timestamp && window)
  assert.deepEqual(
    containers.sort((a: Loose, b: Loose) => (a.name < b.name ? -1 : 1)),
    [
      { name: 'main', usage: { cpu: '250m', memory: '64Mi' } },
      { name: 'side', usage: { cpu: '50m', memory: '1Mi' } },
    ],
  )
})

for (const [query, found] of [
  [{ labelSelector: 'app=web' }, ['web']],
  [{ labelSelector: 'app notin (web)' }, ['idle']],
  [{ fieldSelector: 'metadata.name=idle' }, ['idle']],
  [{ fieldSelector: 'metadata.namespace!=default' }, []],
] as const)
  test(`pods are selected by ${JSON.stringify(query)}`, async () => {
    assert.deepEqual(names(await get('/namespaces/default/pods', query)), found)
    assert.deepEqual(names(await get('/namespaces/other/pods', query)), [])
  })

test('tables show sums, as quantities', async () => {
  const { object } = await get('/namespaces/default/pods', { labelSelector: 'app=web' }, TABLE)
  const columns = object.columnDefinitions.map(({ name, type, format }: Loose) => [name, type, format])
  assert.deepEqual(columns, [
    ['Name', 'string', 'name'],
    ['cpu', 'string', 'quantity'],
    ['memory', 'string', 'quantity'],
    ['Window', 'string', 'duration'],
  ])
  assert.deepEqual(object.rows[0].cells.slice(0, 3), ['web', '300m', '65Mi'])
})

for (const [path, code, message] of [
  ['/nodes/n3', 404, 'nodes "n3" not found'],
  ['/namespaces/default/pods/none', 404, 'pods "none" not found'],
  ['/namespaces/default/pods/done', 404, 'podmetrics.metrics.k8s.io "default/done" not found'],
] as const)
  test(`${path} is ${code}: ${message}`, async () => {
    const { status, object } = await get(path)
    assert.deepEqual([status, object.code, object.message], [code, code, message])
  })

test('a pod is left out until its usage can be told, and counted from its beginning then', async () => {
  await get('/pods')
  await create('fresh', 'n1', { app: 'fresh' }, { '*': { cpu: '1', memory: '1Gi' } })
  await cluster.advance(6_000)
  assert.deepEqual(names(await get('/pods', { labelSelector: 'app=fresh' })), [])
  const { status, object } = await get('/namespaces/default/pods/fresh')
  assert.deepEqual([status, object.message], [404, 'podmetrics.metrics.k8s.io "default/fresh" not found'])
  await cluster.advance(8_000)
  const [found] = (await get('/pods', { labelSelector: 'app=fresh' })).object.items
  assert.deepEqual(found.containers[0].usage, { cpu: '1', memory: '1Gi' })
})

test('a node that does not answer is left out, with its pods', async () => {
  await cluster.advance(6_000)
  silentNodes.add('n1')
  assert.deepEqual(names(await get('/nodes')), ['n2'])
  assert.deepEqual(names(await get('/pods')), ['idle'])
  const { object } = await get('/nodes/n1')
  assert.equal(object.message, 'nodemetrics.metrics.k8s.io "n1" not found')
  silentNodes.delete('n1')
  assert.deepEqual(names(await get('/nodes')), NODES)
})

test('nothing of it can be written or watched', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH'] as const) {
    const { status } = await cluster.transport({ method, path: `${ROOT}/nodes/n1`, body: {} })
    assert.equal(status, 405, method)
  }
  assert.equal((await get('/pods', { watch: 'true' })).status, 405)
})
