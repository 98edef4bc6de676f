import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '../../src/api/kinds/core/pod.ts'
import { startCluster } from '../../src/cmd/testing.ts'
import { eventsOf, inDefault } from './objects.ts'

const priorityClass = (name: string, value: number) =>
  ({ apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name }, value }) as object

const pod = (name: string, priorityClassName: string, cpu: string): Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, finalizers: priorityClassName === 'low' ? ['example.com/look'] : [] },
    spec: { priorityClassName, containers: [{ name: 'main', image: 'v1', resources: { requests: { cpu } } }] },
  }) as Pod

test('a pod of higher priority takes the place of a lower one, which is told why, and of no more', async () => {
  await using cluster = await startCluster({
    clock: 'virtual',
    nodes: [{ name: 'n', capacity: { cpu: '4', memory: '8Gi', pods: '10' } }],
    script: () => ({ stopMs: 3000 }),
  })
  const pods = cluster.objects<Pod>('Pod')
  await cluster.create(priorityClass('low', 1))
  await cluster.create(priorityClass('high', 1000))
  await cluster.create(pod('small', 'low', '1'))
  await cluster.create(pod('victim', 'low', '2'))
  await cluster.settle()
  await cluster.create(pod('urgent', 'high', '3'))
  await cluster.settle()
  const waiting = await pods.get(inDefault('urgent'))
  assert.equal(waiting.status?.nominatedNodeName, 'n')
  const victim = await pods.get(inDefault('victim'))
  assert.ok(victim.metadata?.deletionTimestamp)
  assert.ok(!(await pods.get(inDefault('small'))).metadata?.deletionTimestamp)
  const target = victim.status?.conditions?.find(each => each.type === 'DisruptionTarget')
  assert.deepEqual(
    [target?.status, target?.reason, target?.message],
    ['True', 'PreemptionByScheduler', 'default-scheduler: preempting to accommodate a higher priority pod'],
  )
  assert.ok(
    (await eventsOf(cluster, 'victim')).includes(`Preempted: Preempted by pod ${waiting.metadata?.uid} on node n`),
  )
  // The place is kept for it, though another one comes meanwhile.
  await cluster.create(pod('late', 'low', '1'))
  await cluster.settle()
  assert.equal((await pods.get(inDefault('late'))).spec?.nodeName, undefined)
  await pods.patch(inDefault('victim'), { metadata: { finalizers: null } }, { type: 'merge' })
  await cluster.advance(4000)
  assert.equal((await pods.get(inDefault('urgent'))).spec?.nodeName, 'n')
  assert.equal((await pods.get(inDefault('late'))).spec?.nodeName, undefined)
})
