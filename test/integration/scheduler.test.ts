import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node } from '../../src/api/kinds/core/node.ts'
import type { Pod } from '../../src/api/kinds/core/pod.ts'
import { type Cluster, startCluster } from '../../src/cmd/testing.ts'
import { deployment, eventsOf, inDefault, podsOf } from './objects.ts'

const pods = (cluster: Cluster) => cluster.objects<Pod>('Pod')
const pod = (name: string, spec: Partial<Pod['spec']> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'main', image: 'v1' }], ...spec } as NonNullable<Pod['spec']>,
})
const scheduled = (found: Pod) => found.status?.conditions?.find(each => each.type === 'PodScheduled')
const nodeOf = async (cluster: Cluster, name: string) => (await pods(cluster).get(inDefault(name))).spec?.nodeName
const asking = (cpu: string) => ({
  containers: [{ name: 'main', image: 'v1', resources: { requests: { cpu } } }],
})

test('the scheduler places a pod, says so in an event, and the pod says that it was scheduled', async () => {
  await using cluster = await startCluster({ clock: 'virtual' })
  await cluster.create(pod('p'))
  await cluster.until(async () => (await nodeOf(cluster, 'p')) === 'node-1')
  assert.equal(scheduled(await pods(cluster).get(inDefault('p')))?.status, 'True')
  assert.ok((await eventsOf(cluster, 'p')).includes('Scheduled: Successfully assigned default/p to node-1'))
})

test('the scheduler spreads the pods of a Deployment over the nodes', async () => {
  await using cluster = await startCluster({ clock: 'virtual', nodes: 3 })
  await cluster.create(deployment('web', { replicas: 6 }))
  await cluster.until(async () => {
    const found = await podsOf(cluster, 'web')
    return found.length === 6 && found.every(each => each.spec?.nodeName)
  })
  const counts = new Map<string, number>()
  for (const { spec } of await podsOf(cluster, 'web')) {
    counts.set(spec!.nodeName!, (counts.get(spec!.nodeName!) ?? 0) + 1)
  }
  assert.deepEqual([...counts.values()], [2, 2, 2])
})

test('the scheduler keeps a pod that fits nowhere Pending, says why, and places it when another one goes', async () => {
  await using cluster = await startCluster({ clock: 'virtual' })
  await cluster.create(pod('big', asking('6')))
  await cluster.until(async () => (await nodeOf(cluster, 'big')) === 'node-1')
  await cluster.create(pod('p', asking('4')))
  const message =
    '0/1 nodes are available: 1 Insufficient cpu. ' +
    'preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.'
  await cluster.until(async () => scheduled(await pods(cluster).get(inDefault('p')))?.message === message)
  const found = await pods(cluster).get(inDefault('p'))
  assert.equal(found.status?.phase, 'Pending')
  assert.equal(scheduled(found)?.reason, 'Unschedulable')
  assert.ok((await eventsOf(cluster, 'p')).includes(`FailedScheduling: ${message}`))

  await pods(cluster).delete(inDefault('big'), { gracePeriodSeconds: 0 })
  await cluster.until(async () => (await nodeOf(cluster, 'p')) === 'node-1')
})

test('the scheduler places a waiting pod when another one is resized to less', async () => {
  await using cluster = await startCluster({ clock: 'virtual', script: () => ({ startMs: 3_600_000 }) })
  await cluster.create(pod('big', asking('6')))
  await cluster.until(async () => (await nodeOf(cluster, 'big')) === 'node-1')
  await cluster.create(pod('p', asking('4')))
  await cluster.until(async () => scheduled(await pods(cluster).get(inDefault('p')))?.reason === 'Unschedulable')
  await pods(cluster).patch(inDefault('big'), { spec: asking('3') }, { type: 'strategic', subresource: 'resize' })
  await cluster.until(async () => (await nodeOf(cluster, 'p')) === 'node-1')
})

test('the scheduler places a waiting pod when a node comes', async () => {
  await using cluster = await startCluster({ clock: 'virtual', nodes: 0 })
  await cluster.create(pod('p'))
  await cluster.until(async () => {
    return scheduled(await pods(cluster).get(inDefault('p')))?.message === 'no nodes available to schedule pods'
  })
  cluster.addNode({ name: 'late' })
  await cluster.until(async () => (await nodeOf(cluster, 'p')) === 'late')
})

test('the scheduler places a waiting pod when a node is uncordoned', async () => {
  await using cluster = await startCluster({ clock: 'virtual' })
  const cordon = (unschedulable: boolean) =>
    cluster.objects<Node>('Node').patch({ name: 'node-1' }, { spec: { unschedulable } }, { type: 'merge' })
  await cordon(true)
  await cluster.create(pod('p'))
  await cluster.until(async () => scheduled(await pods(cluster).get(inDefault('p')))?.reason === 'Unschedulable')
  await cordon(false)
  await cluster.until(async () => (await nodeOf(cluster, 'p')) === 'node-1')
})

test('the scheduler leaves pods of other schedulers and gated pods alone, until the gates are gone', async () => {
  await using cluster = await startCluster({ clock: 'virtual' })
  await cluster.create(pod('other', { schedulerName: 'mine' }))
  await cluster.create(pod('gated', { schedulingGates: [{ name: 'example.com/wait' }] }))
  await cluster.create(pod('p'))
  await cluster.until(async () => (await nodeOf(cluster, 'p')) === 'node-1')
  await cluster.settle()
  assert.equal(await nodeOf(cluster, 'other'), undefined)
  assert.equal(await nodeOf(cluster, 'gated'), undefined)
  assert.equal(scheduled(await pods(cluster).get(inDefault('gated')))?.reason, 'SchedulingGated')

  await pods(cluster).patch(inDefault('gated'), { spec: { schedulingGates: null } }, { type: 'merge' })
  await cluster.until(async () => (await nodeOf(cluster, 'gated')) === 'node-1')
})

test('the scheduler never overfills a node, through failing writes, dropped watches and crashes', async () => {
  await using cluster = await startCluster({
    clock: 'virtual',
    seed: 7,
    nodes: ['a', 'b', 'c'].map(name => ({ name, capacity: { cpu: '4', memory: '8Gi', pods: '110' } })),
  })
  cluster.faults.failWrites(0.2)
  for (let at = 0; at < 15; at++) await cluster.create(pod(`p${at}`, asking('1')))
  for (let turn = 0; turn < 10; turn++) {
    await cluster.advance(300)
    cluster.faults.dropWatches()
    if (turn % 3 === 0) cluster.faults.crash('scheduler')
  }
  cluster.faults.failWrites(0)
  await cluster.until(async () => (await podsOf(cluster)).filter(each => each.spec?.nodeName).length >= 12, 120_000)
  await cluster.advance(30_000)
  const counts = new Map<string, number>()
  for (const { spec } of await podsOf(cluster)) {
    if (spec?.nodeName) counts.set(spec.nodeName, (counts.get(spec.nodeName) ?? 0) + 1)
  }
  assert.deepEqual([...counts].sort(), [
    ['a', 4],
    ['b', 4],
    ['c', 4],
  ])
})
