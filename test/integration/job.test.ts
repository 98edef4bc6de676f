import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job } from '../../src/api/kinds/batch/job.ts'
import type { Pod } from '../../src/api/kinds/core/pod.ts'
import { type Cluster, type PodScript, startCluster } from '../../src/cmd/testing.ts'
import { eventsOf, inDefault, job, podsOf } from './objects.ts'

const find = (cluster: Cluster) => cluster.objects<Job>('Job').get(inDefault('work'))
const condition = (found: Job, type: string) => found.status?.conditions?.find(each => each.type === type)
const start = (script: (pod: Pod) => PodScript) => startCluster({ clock: 'virtual', script })
const index = (pod: Pod) => pod.metadata?.annotations?.['batch.kubernetes.io/job-completion-index']
const ended = (cluster: Cluster, type: string, withinMs = 60_000) =>
  cluster.until(async () => condition(await find(cluster), type)?.status === 'True', withinMs)

test('Job runs as many pods side by side as it may, until enough have succeeded', async () => {
  await using cluster = await start(() => ({ exitMs: 1000 }))
  await cluster.create(job('work', { completions: 5, parallelism: 2 }))
  let most = 0
  await cluster.until(async () => {
    most = Math.max(most, (await find(cluster)).status?.active ?? 0)
    return condition(await find(cluster), 'Complete')?.status === 'True'
  })
  const { status } = await find(cluster)
  assert.equal(most, 2)
  assert.equal(status?.succeeded, 5)
  assert.equal(status?.active, undefined)
  assert.deepEqual(status?.uncountedTerminatedPods, {})
  assert.ok(status?.completionTime && status.startTime && status.completionTime > status.startTime)
  assert.equal(condition(await find(cluster), 'SuccessCriteriaMet')?.reason, 'CompletionsReached')
  const pods = await podsOf(cluster)
  assert.equal(pods.length, 5)
  assert.ok(
    pods.every(pod => pod.metadata?.finalizers === undefined),
    'no pod is held back',
  )
  assert.equal((await eventsOf(cluster, 'work')).at(-1), 'Completed: Job completed')
})

test('Job tries again with growing waits and fails at its backoffLimit', async () => {
  await using cluster = await start(() => ({ exitMs: 0, exitCode: 3 }))
  await cluster.create(job('work', { backoffLimit: 2 }))
  await cluster.advance(5_000)
  assert.equal((await podsOf(cluster)).length, 1)
  await cluster.advance(10_000)
  assert.equal((await podsOf(cluster)).length, 2)
  await ended(cluster, 'Failed')
  const found = await find(cluster)
  assert.equal(found.status?.failed, 3)
  assert.equal(condition(found, 'Failed')?.reason, 'BackoffLimitExceeded')
  assert.equal(condition(found, 'Failed')?.message, 'Job has reached the specified backoff limit')
  assert.ok(
    (await eventsOf(cluster, 'work')).includes('BackoffLimitExceeded: Job has reached the specified backoff limit'),
  )
})

test('Job in Indexed mode gives every pod its index and names the completed ones', async () => {
  await using cluster = await start(pod => (index(pod) === '2' ? { exitMs: 60_000 } : { exitMs: 10 }))
  await cluster.create(job('work', { completions: 5, parallelism: 5, completionMode: 'Indexed' }))
  await cluster.until(async () => (await find(cluster)).status?.completedIndexes === '0,1,3,4')
  const pods = await podsOf(cluster)
  assert.deepEqual(pods.map(index).sort(), ['0', '1', '2', '3', '4'])
  for (const pod of pods) {
    assert.ok(pod.metadata?.name?.startsWith(`work-${index(pod)}-`))
    assert.equal(pod.spec?.hostname, `work-${index(pod)}`)
    assert.equal(pod.spec?.containers[0]?.env?.[0]?.name, 'JOB_COMPLETION_INDEX')
  }
  await ended(cluster, 'Complete', 120_000)
  assert.equal((await find(cluster)).status?.completedIndexes, '0-4')
})

test('Job that takes too long is ended at activeDeadlineSeconds', async () => {
  await using cluster = await start(() => ({}))
  await cluster.create(job('work', { activeDeadlineSeconds: 30, parallelism: 2 }))
  await cluster.advance(20_000)
  assert.equal((await find(cluster)).status?.active, 2)
  await cluster.advance(11_000)
  assert.equal(condition(await find(cluster), 'Failed')?.reason, 'DeadlineExceeded')
  assert.deepEqual(await podsOf(cluster), [])
})

test('Job that is suspended has no pods, and starts its time anew when resumed', async () => {
  await using cluster = await start(() => ({ exitMs: 1000 }))
  await cluster.create(job('work', { suspend: true }))
  await cluster.settle()
  assert.deepEqual(await podsOf(cluster), [])
  assert.equal(condition(await find(cluster), 'Suspended')?.reason, 'JobSuspended')
  assert.equal((await find(cluster)).status?.startTime, undefined)
  await cluster.objects<Job>('Job').patch(inDefault('work'), { spec: { suspend: false } }, { type: 'merge' })
  await ended(cluster, 'Complete')
  assert.equal(condition(await find(cluster), 'Suspended')?.reason, 'JobResumed')
  assert.deepEqual(
    (await eventsOf(cluster, 'work')).filter(each => !each.startsWith('Successful')),
    ['Suspended: Job suspended', 'Resumed: Job resumed', 'Completed: Job completed'],
  )
})

test('Job with a failure policy fails at once for an exit code that says so', async () => {
  await using cluster = await start(() => ({ exitMs: 0, exitCode: 42 }))
  const onExitCodes = { operator: 'In' as const, values: [42] }
  await cluster.create(job('work', { podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes }] } }))
  await ended(cluster, 'Failed')
  const found = condition(await find(cluster), 'Failed')
  const [pod] = await podsOf(cluster)
  assert.equal(found?.reason, 'PodFailurePolicy')
  const what = `Container main for pod default/${pod?.metadata?.name} failed with exit code 42`
  assert.equal(found?.message, `${what} matching FailJob rule at index 0`)
})

test('Job is deleted with its pods when its ttlSecondsAfterFinished has passed', async () => {
  await using cluster = await start(() => ({ exitMs: 0 }))
  await cluster.create(job('work', { ttlSecondsAfterFinished: 60 }))
  await ended(cluster, 'Complete')
  await cluster.advance(50_000)
  assert.ok(await find(cluster))
  await cluster.advance(15_000)
  assert.equal(await cluster.objects<Job>('Job').find(inDefault('work')), undefined)
  assert.deepEqual(await podsOf(cluster), [])
})

test('Job replaces a pod that someone deletes, and counts it', async () => {
  await using cluster = await start(() => ({}))
  await cluster.create(job('work', {}))
  await cluster.until(async () => (await podsOf(cluster)).length === 1)
  const [pod] = await podsOf(cluster)
  await cluster.objects<Pod>('Pod').delete(inDefault(pod?.metadata?.name ?? ''))
  await cluster.advance(11_000)
  const [next, ...more] = await podsOf(cluster)
  assert.deepEqual(more, [])
  assert.notEqual(next?.metadata?.uid, pod?.metadata?.uid)
  assert.equal((await find(cluster)).status?.failed, 1)
})

test('Job that is deleted leaves no pod behind', async () => {
  await using cluster = await start(() => ({}))
  await cluster.create(job('work', { parallelism: 3 }))
  await cluster.until(async () => (await podsOf(cluster)).length === 3)
  await cluster.objects<Job>('Job').delete(inDefault('work'), { propagationPolicy: 'Background' })
  await cluster.until(async () => (await podsOf(cluster)).length === 0)
})

test('Job with a limit per index gives up an index alone, and fails when all others are through', async () => {
  await using cluster = await start(pod => ({ exitMs: 0, exitCode: index(pod) === '1' ? 1 : 0 }))
  const spec = { completions: 3, parallelism: 3, completionMode: 'Indexed' as const, backoffLimitPerIndex: 1 }
  await cluster.create(job('work', spec))
  await ended(cluster, 'Failed', 200_000)
  const found = await find(cluster)
  assert.equal(found.status?.completedIndexes, '0,2')
  assert.equal(found.status?.failedIndexes, '1')
  assert.equal(found.status?.failed, 2)
  assert.equal(condition(found, 'Failed')?.reason, 'FailedIndexes')
})

test('Job with a success policy is complete when its rule holds, and stops the rest', async () => {
  await using cluster = await start(pod => (index(pod) === '0' ? { exitMs: 100 } : {}))
  const successPolicy = { rules: [{ succeededIndexes: '0' }] }
  await cluster.create(job('work', { completions: 3, parallelism: 3, completionMode: 'Indexed', successPolicy }))
  await ended(cluster, 'Complete')
  const found = await find(cluster)
  assert.equal(condition(found, 'Complete')?.reason, 'SuccessPolicy')
  assert.equal(condition(found, 'Complete')?.message, 'Matched rules at index 0')
  assert.equal(found.status?.succeeded, 1)
  assert.equal((await podsOf(cluster)).filter(pod => pod.status?.phase === 'Running').length, 0)
})

test('Job that is deleted before its pods found a node leaves none behind', async () => {
  await using cluster = await startCluster({ clock: 'virtual', nodes: 0 })
  await cluster.create(job('work', {}))
  await cluster.until(async () => (await podsOf(cluster)).length === 1)
  await cluster.objects<Job>('Job').delete(inDefault('work'), { propagationPolicy: 'Background' })
  await cluster.until(async () => (await podsOf(cluster)).length === 0)
})
