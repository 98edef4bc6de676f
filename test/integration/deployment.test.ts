import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment } from '../../src/api/kinds/apps/deployment.ts'
import type { ReplicaSet } from '../../src/api/kinds/apps/replica-set.ts'
import type { Pod } from '../../src/api/kinds/core/pod.ts'
import { type Cluster, startCluster } from '../../src/cmd/testing.ts'
import { deployment, eventsOf, imageOf, inDefault, podsOf, withImage } from './objects.ts'

const find = (cluster: Cluster, name = 'web') => cluster.objects<Deployment>('Deployment').get(inDefault(name))
const patch = (cluster: Cluster, body: unknown, type: 'merge' | 'strategic' = 'strategic', name = 'web') =>
  cluster.objects<Deployment>('Deployment').patch(inDefault(name), body, { type })
const sets = async (cluster: Cluster) => {
  const { items } = await cluster.objects<ReplicaSet>('ReplicaSet').list({ namespace: 'default' })
  return items.toSorted((a, b) => revision(a) - revision(b))
}
const revision = (set: ReplicaSet) => Number(set.metadata?.annotations?.['deployment.kubernetes.io/revision'])
const progress = (found: Deployment) => found.status?.conditions?.find(each => each.type === 'Progressing')

async function complete(cluster: Cluster, name = 'web', withinMs = 10_000) {
  await cluster.until(async () => {
    const { metadata, spec, status } = await find(cluster, name)
    const { replicas, updatedReplicas, availableReplicas, observedGeneration } = status ?? {}
    const wanted = spec?.replicas || undefined
    return (
      observedGeneration === metadata?.generation &&
      [replicas, updatedReplicas, availableReplicas].every(each => each === wanted)
    )
  }, withinMs)
}

test('Deployment brings its pods up, says so in its status, and has revision 1 of generation 1', async () => {
  await using cluster = await startCluster({ clock: 'virtual' })
  await cluster.create(deployment('web'))
  await complete(cluster)
  const found = await find(cluster)
  assert.equal(found.metadata?.generation, 1)
  assert.equal(found.metadata?.annotations?.['deployment.kubernetes.io/revision'], '1')
  assert.equal(progress(found)?.reason, 'NewReplicaSetAvailable')
  const [set] = await sets(cluster)
  assert.equal(progress(found)?.message, `ReplicaSet "${set?.metadata?.name}" has successfully progressed.`)
  assert.equal(set?.metadata?.annotations?.['deployment.kubernetes.io/desired-replicas'], '3')
  assert.equal(set?.metadata?.annotations?.['deployment.kubernetes.io/max-replicas'], '4')
  assert.deepEqual(await eventsOf(cluster, 'web'), [
    `ScalingReplicaSet: Scaled up replica set ${set?.metadata?.name} from 0 to 3`,
  ])
})

test('Deployment rolls to a new template and never has more or fewer pods than it may', async () => {
  await using cluster = await startCluster({ clock: 'virtual', script: () => ({ startMs: 200, readyMs: 300 }) })
  const rollingUpdate = { maxSurge: 2, maxUnavailable: 1 }
  await cluster.create(deployment('web', { replicas: 6, strategy: { type: 'RollingUpdate', rollingUpdate } }))
  await complete(cluster)
  const seen: { pods: number; ready: number }[] = []
  await patch(cluster, withImage('v2'))
  await cluster.until(async () => {
    const pods = (await podsOf(cluster)).filter(pod => !pod.metadata?.deletionTimestamp)
    const ready = pods.filter(pod =>
      pod.status?.conditions?.some(each => each.type === 'Ready' && each.status === 'True'),
    )
    seen.push({ pods: pods.length, ready: ready.length })
    const { status } = await find(cluster)
    return status?.updatedReplicas === 6 && status.replicas === 6 && status.availableReplicas === 6
  })
  assert.ok(Math.max(...seen.map(each => each.pods)) <= 8)
  assert.ok(Math.min(...seen.map(each => each.ready)) >= 5)
  assert.ok(Math.max(...seen.map(each => each.pods)) > 6, 'it used its surge')
  assert.deepEqual(new Set((await podsOf(cluster)).map(imageOf)), new Set(['v2']))
})

test('Deployment stops rolling at a broken version, reports the deadline, and goes back when undone', async () => {
  await using cluster = await startCluster({
    clock: 'virtual',
    script: pod => (imageOf(pod) === 'broken' ? { readyMs: null } : {}),
  })
  await cluster.create(deployment('web', { progressDeadlineSeconds: 60 }))
  await complete(cluster)
  await patch(cluster, withImage('broken'))
  await cluster.advance(30_000)
  const rolling = await find(cluster)
  assert.equal(rolling.status?.availableReplicas, 3)
  assert.equal(rolling.status?.updatedReplicas, 1)
  assert.equal(progress(rolling)?.reason, 'ReplicaSetUpdated')
  await cluster.advance(60_000)
  const stuck = await find(cluster)
  const [first, second] = await sets(cluster)
  assert.equal(progress(stuck)?.reason, 'ProgressDeadlineExceeded')
  assert.equal(progress(stuck)?.status, 'False')
  assert.equal(progress(stuck)?.message, `ReplicaSet "${second?.metadata?.name}" has timed out progressing.`)
  assert.equal(stuck.status?.availableReplicas, 3)

  await patch(cluster, withImage('v1'))
  await complete(cluster)
  const after = await sets(cluster)
  assert.deepEqual(
    after.map(each => [each.metadata?.name, revision(each), each.spec?.replicas]),
    [
      [second?.metadata?.name, 2, 0],
      [first?.metadata?.name, 3, 3],
    ],
  )
  assert.equal(after[1]?.metadata?.annotations?.['deployment.kubernetes.io/revision-history'], '1')
  assert.equal((await find(cluster)).metadata?.annotations?.['deployment.kubernetes.io/revision'], '3')
})

test('Deployment that is paused rolls nothing but scales, and goes on when resumed', async () => {
  await using cluster = await startCluster({ clock: 'virtual' })
  await cluster.create(deployment('web'))
  await complete(cluster)
  await patch(cluster, { spec: { paused: true } })
  await patch(cluster, withImage('v2'))
  await cluster.settle()
  assert.equal((await sets(cluster)).length, 1)
  assert.equal(progress(await find(cluster))?.reason, 'DeploymentPaused')
  await patch(cluster, { spec: { replicas: 5 } })
  await cluster.until(async () => (await podsOf(cluster)).length === 5)
  assert.deepEqual(new Set((await podsOf(cluster)).map(imageOf)), new Set(['v1']))
  await patch(cluster, { spec: { paused: false } })
  await complete(cluster)
  assert.deepEqual(new Set((await podsOf(cluster)).map(imageOf)), new Set(['v2']))
  assert.equal(progress(await find(cluster))?.reason, 'NewReplicaSetAvailable')
})

test('Deployment of type Recreate starts nothing new before all old pods are gone', async () => {
  await using cluster = await startCluster({ clock: 'virtual', script: () => ({ stopMs: 5000 }) })
  await cluster.create(deployment('web', { strategy: { type: 'Recreate' } }))
  await complete(cluster)
  await patch(cluster, withImage('v2'))
  const mixes = new Set<number>()
  await cluster.until(async () => {
    const images = new Set((await podsOf(cluster)).map(imageOf))
    mixes.add(images.size)
    return images.size === 1 && images.has('v2')
  })
  await complete(cluster)
  assert.ok(!mixes.has(2))
})

test('Deployment scaled in the middle of a roll-out shares the difference in proportion', async () => {
  await using cluster = await startCluster({
    clock: 'virtual',
    script: pod => (imageOf(pod) === 'broken' ? { readyMs: null } : {}),
  })
  const rollingUpdate = { maxSurge: 3, maxUnavailable: 2 }
  await cluster.create(deployment('web', { replicas: 10, strategy: { type: 'RollingUpdate', rollingUpdate } }))
  await complete(cluster)
  await patch(cluster, withImage('broken'))
  await cluster.settle()
  assert.deepEqual(
    (await sets(cluster)).map(each => each.spec?.replicas),
    [8, 5],
  )
  await patch(cluster, { spec: { replicas: 15 } })
  await cluster.settle()
  // The example of the Kubernetes documentation: 3 of the 5 go to the set with more replicas.
  assert.deepEqual(
    (await sets(cluster)).map(each => each.spec?.replicas),
    [11, 7],
  )
})

test('Deployment keeps as many old ReplicaSets as revisionHistoryLimit says', async () => {
  await using cluster = await startCluster({ clock: 'virtual' })
  await cluster.create(deployment('web', { revisionHistoryLimit: 2, replicas: 1 }))
  await complete(cluster)
  for (const image of ['v2', 'v3', 'v4', 'v5']) {
    await patch(cluster, withImage(image))
    await complete(cluster)
  }
  await cluster.until(async () => (await sets(cluster)).length === 3)
  assert.deepEqual((await sets(cluster)).map(revision), [3, 4, 5])
})

test('Deployment waits minReadySeconds before a pod counts as available', async () => {
  await using cluster = await startCluster({ clock: 'virtual' })
  await cluster.create(deployment('web', { minReadySeconds: 10 }))
  await cluster.advance(8_000)
  const early = await find(cluster)
  assert.equal(early.status?.readyReplicas, 3)
  assert.equal(early.status?.availableReplicas, undefined)
  assert.equal(early.status?.unavailableReplicas, 3)
  await cluster.advance(4_000)
  assert.equal((await find(cluster)).status?.availableReplicas, 3)
})

test('Deployment adopts a ReplicaSet and pods that match it, and lets go of those that no longer do', async () => {
  await using cluster = await startCluster({ clock: 'virtual' })
  await cluster.create(deployment('web'))
  await complete(cluster)
  const deployments = cluster.objects<Deployment>('Deployment')
  await deployments.delete(inDefault('web'), { propagationPolicy: 'Orphan' })
  await cluster.until(async () => (await deployments.find(inDefault('web'))) === undefined)
  const before = (await podsOf(cluster)).map(pod => pod.metadata?.uid).sort()
  assert.equal(before.length, 3)
  assert.equal((await sets(cluster))[0]?.metadata?.ownerReferences, undefined)
  await cluster.create(deployment('web'))
  await complete(cluster)
  assert.deepEqual((await podsOf(cluster)).map(pod => pod.metadata?.uid).sort(), before)
  const [pod] = await podsOf(cluster)
  await cluster
    .objects<Pod>('Pod')
    .patch(inDefault(pod?.metadata?.name ?? ''), { metadata: { labels: { app: 'debug' } } }, { type: 'merge' })
  await cluster.until(async () => (await podsOf(cluster, 'web')).length === 3)
  const [released] = await podsOf(cluster, 'debug')
  assert.equal(released?.metadata?.ownerReferences, undefined)
})

test('Deployment of no replicas is complete', async () => {
  await using cluster = await startCluster({ clock: 'virtual' })
  await cluster.create(deployment('web', { replicas: 0 }))
  await cluster.until(async () => progress(await find(cluster))?.reason === 'NewReplicaSetAvailable')
  assert.deepEqual(await podsOf(cluster), [])
})
