import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StatefulSet } from '../../src/api/kinds/apps/stateful-set.ts'
import type { Pod } from '../../src/api/kinds/core/pod.ts'
import { startCluster } from '../../src/cmd/testing.ts'
import { unrest } from '../../src/control/at-rest.ts'
import { controllers } from '../../src/controllers/all.ts'
import { inDefault, withImage } from './objects.ts'

const set = (name: string, spec: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name },
  spec: {
    replicas: 3,
    serviceName: name,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image: 'v1' }] } },
    ...spec,
  },
})

test('a StatefulSet is rolled out, updated and scaled in order on a whole cluster', async () => {
  await using cluster = await startCluster({
    clock: 'virtual',
    nodes: 3,
    script: () => ({ startMs: 100, stopMs: 100 }),
  })
  const sets = cluster.objects<StatefulSet>('StatefulSet')
  const pods = cluster.objects<Pod>('Pod')
  const images = async () =>
    (await pods.list({ namespace: 'default' })).items
      .map(pod => `${pod.metadata?.name} ${pod.spec?.containers[0]?.image}`)
      .sort()
  const isDone = async () => {
    const { status, metadata, spec } = await sets.get(inDefault('db'))
    return (
      status?.observedGeneration === metadata?.generation &&
      status?.availableReplicas === spec?.replicas &&
      status?.updatedReplicas === spec?.replicas &&
      status?.currentRevision === status?.updateRevision
    )
  }
  await cluster.create(set('db', { minReadySeconds: 1 }))
  await cluster.until(isDone, 30_000)
  await sets.patch(inDefault('db'), withImage('v2'), { type: 'strategic' })
  await cluster.until(isDone, 30_000)
  assert.deepEqual(await images(), ['db-0 v2', 'db-1 v2', 'db-2 v2'])
  await sets.patch(inDefault('db'), { spec: { replicas: 1 } }, { type: 'merge' })
  await cluster.until(async () => (await images()).length === 1, 30_000)
  await cluster.advance(60_000)
  assert.deepEqual(await unrest(controllers, cluster), [])
})

test('a DaemonSet follows nodes that come, and is rolled out to each', async () => {
  await using cluster = await startCluster({
    clock: 'virtual',
    nodes: 2,
    script: () => ({ startMs: 100, stopMs: 100 }),
  })
  const { replicas: _, serviceName: __, ...spec } = set('agent').spec
  await cluster.create({ ...set('agent'), kind: 'DaemonSet', spec })
  const sets = cluster.objects('DaemonSet')
  const isDone = (count: number) => async () => {
    const { status, metadata } = (await sets.get(inDefault('agent'))) as {
      status?: Record<string, number>
      metadata?: { generation?: number }
    }
    return (
      status?.observedGeneration === metadata?.generation &&
      status?.numberAvailable === count &&
      status?.updatedNumberScheduled === count &&
      status?.desiredNumberScheduled === count
    )
  }
  await cluster.until(isDone(2))
  cluster.addNode({ name: 'late' })
  await cluster.until(isDone(3))
  await sets.patch(inDefault('agent'), withImage('v2'), { type: 'strategic' })
  await cluster.until(isDone(3), 30_000)
  await cluster.advance(60_000)
  assert.deepEqual(await unrest(controllers, cluster), [])
})
