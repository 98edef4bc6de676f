import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node } from '../../src/api/kinds/core/node.ts'
import { type Cluster, startCluster } from '../../src/cmd/testing.ts'
import { deployment, podsOf } from './objects.ts'

const find = (cluster: Cluster, name: string) => cluster.objects<Node>('Node').get({ name })
const ready = (node: Node) => node.status?.conditions?.find(each => each.type === 'Ready')
const taints = (node: Node) => (node.spec?.taints ?? []).map(each => `${each.key}:${each.effect}`).sort()

test('node that falls silent is unknown after 40 s, tainted, and loses its pods after their toleration', async () => {
  await using cluster = await startCluster({ clock: 'virtual', nodes: 2 })
  await cluster.create(deployment('web', { replicas: 4 }))
  await cluster.until(async () => (await podsOf(cluster)).filter(pod => pod.spec?.nodeName).length === 4)
  await cluster.settle()
  cluster.stopNode('node-1')
  await cluster.advance(29_000)
  assert.equal(ready(await find(cluster, 'node-1'))?.status, 'True')
  await cluster.advance(15_000)
  const silent = await find(cluster, 'node-1')
  assert.equal(ready(silent)?.status, 'Unknown')
  assert.equal(ready(silent)?.reason, 'NodeStatusUnknown')
  assert.equal(ready(silent)?.message, 'Kubelet stopped posting node status.')
  assert.deepEqual(taints(silent), [
    'node.kubernetes.io/unreachable:NoExecute',
    'node.kubernetes.io/unreachable:NoSchedule',
  ])
  const lost = (await podsOf(cluster)).filter(pod => pod.spec?.nodeName === 'node-1')
  assert.equal(lost.length, 2)
  assert.ok(lost.every(pod => pod.status?.conditions?.some(each => each.type === 'Ready' && each.status === 'False')))
  await cluster.advance(290_000)
  assert.ok(
    (await podsOf(cluster)).every(pod => !pod.metadata?.deletionTimestamp),
    'tolerated for 300 s',
  )
  await cluster.advance(20_000)
  const pods = await podsOf(cluster)
  assert.equal(pods.filter(pod => pod.spec?.nodeName === 'node-2').length, 4)
  assert.equal(pods.filter(pod => pod.metadata?.deletionTimestamp).length, 2)
})

test('node that is alone keeps its pods however long it is silent', async () => {
  await using cluster = await startCluster({ clock: 'virtual', nodes: 1 })
  await cluster.create(deployment('web', { replicas: 2 }))
  await cluster.until(async () => (await podsOf(cluster)).filter(pod => pod.spec?.nodeName).length === 2)
  cluster.stopNode('node-1')
  await cluster.advance(1_000_000)
  assert.deepEqual(taints(await find(cluster, 'node-1')), ['node.kubernetes.io/unreachable:NoSchedule'])
  assert.ok((await podsOf(cluster)).every(pod => !pod.metadata?.deletionTimestamp))
})

test('node that speaks again loses its taints', async () => {
  await using cluster = await startCluster({ clock: 'virtual', nodes: 2 })
  cluster.stopNode('node-1')
  await cluster.advance(60_000)
  assert.equal(ready(await find(cluster, 'node-1'))?.status, 'Unknown')
  cluster.addNode({ name: 'node-1' })
  await cluster.settle()
  assert.equal(ready(await find(cluster, 'node-1'))?.status, 'True')
  assert.deepEqual(taints(await find(cluster, 'node-1')), [])
})

test('node that is cordoned is tainted, and the taint goes with it', async () => {
  await using cluster = await startCluster({ clock: 'virtual' })
  const nodes = cluster.objects<Node>('Node')
  await nodes.patch({ name: 'node-1' }, { spec: { unschedulable: true } }, { type: 'merge' })
  await cluster.settle()
  assert.deepEqual(taints(await find(cluster, 'node-1')), ['node.kubernetes.io/unschedulable:NoSchedule'])
  await nodes.patch({ name: 'node-1' }, { spec: { unschedulable: null } }, { type: 'merge' })
  await cluster.settle()
  assert.deepEqual(taints(await find(cluster, 'node-1')), [])
})

test('node that is deleted takes its pods with it', async () => {
  await using cluster = await startCluster({ clock: 'virtual', nodes: 2 })
  await cluster.create(deployment('web', { replicas: 4 }))
  await cluster.until(async () => (await podsOf(cluster)).filter(pod => pod.spec?.nodeName).length === 4)
  cluster.stopNode('node-1')
  await cluster.objects<Node>('Node').delete({ name: 'node-1' })
  await cluster.until(
    async () => (await podsOf(cluster)).filter(pod => pod.spec?.nodeName === 'node-2').length === 4,
    120_000,
  )
  assert.equal((await podsOf(cluster)).length, 4)
})

test('node whose last heartbeat is long past when the controllers start has its whole grace, and its pods stay ready', async () => {
  await using cluster = await startCluster({ clock: 'virtual', nodes: 1 })
  await cluster.create(deployment('web', { replicas: 2 }))
  await cluster.settle()
  const lease = { namespace: 'kube-node-lease', name: 'node-1' }
  const statuses = new Set<string | undefined>()
  for (const renewTime of ['2020-01-01T00:00:00.000000Z', '2039-01-01T00:00:00.000000Z']) {
    // As after a pause of the program, or with a clock that is wrong.
    cluster.stopNode('node-1')
    await cluster.objects('Lease').patch(lease, { spec: { renewTime } }, { type: 'merge' })
    cluster.faults.crash('node-controller')
    for (let second = 0; second < 30; second++) {
      await cluster.advance(1000)
      statuses.add(ready(await find(cluster, 'node-1'))?.status)
    }
    cluster.addNode({ name: 'node-1' })
    await cluster.advance(60_000)
    statuses.add(ready(await find(cluster, 'node-1'))?.status)
  }
  assert.deepEqual([...statuses], ['True'])
  assert.ok(
    (await podsOf(cluster)).every(pod =>
      pod.status?.conditions?.some(each => each.type === 'Ready' && each.status === 'True'),
    ),
  )
})
