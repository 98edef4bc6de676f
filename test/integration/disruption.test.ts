import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '../../src/api/kinds/core/pod.ts'
import type { PodDisruptionBudget } from '../../src/api/kinds/policy/pod-disruption-budget.ts'
import { hasReason } from '../../src/client/client.ts'
import { type Cluster, startCluster } from '../../src/cmd/testing.ts'
import { deployment, inDefault, podsOf } from './objects.ts'

const budget = (spec: PodDisruptionBudget['spec']): PodDisruptionBudget => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'web' },
  spec: { selector: { matchLabels: { app: 'web' } }, ...spec },
})

async function statusOf(cluster: Cluster) {
  const { status } = await cluster.objects<PodDisruptionBudget>('PodDisruptionBudget').get(inDefault('web'))
  const { disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods } = status ?? {}
  return [disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods]
}

for (const [spec, expected] of [
  [{ minAvailable: 3 }, [1, 4, 3, 4]],
  [{ minAvailable: '60%' }, [1, 4, 3, 4]],
  [{ maxUnavailable: 2 }, [2, 4, 2, 4]],
  [{ maxUnavailable: '30%' }, [2, 4, 2, 4]],
  [{ minAvailable: 4 }, [0, 4, 4, 4]],
] as const) {
  test(`PodDisruptionBudget with ${JSON.stringify(spec)} counts four pods`, async () => {
    await using cluster = await startCluster({ clock: 'virtual' })
    await cluster.create(budget(spec))
    await cluster.create(deployment('web', { replicas: 4 }))
    await cluster.until(async () => (await statusOf(cluster))[1] === 4)
    assert.deepEqual(await statusOf(cluster), expected)
  })
}

test('PodDisruptionBudget lets evictions through one by one, as replacements become ready', async () => {
  await using cluster = await startCluster({ clock: 'virtual', script: () => ({ readyMs: 5000 }) })
  await cluster.create(budget({ maxUnavailable: 1 }))
  await cluster.create(deployment('web', { replicas: 3 }))
  await cluster.until(async () => (await statusOf(cluster))[0] === 1)
  const [a, b] = await podsOf(cluster)
  const evict = (pod: Pod | undefined) =>
    cluster.objects<Pod>('Pod').subresource(inDefault(pod?.metadata?.name ?? ''), 'eviction', {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: inDefault(pod?.metadata?.name ?? ''),
    })
  await evict(a)
  await assert.rejects(evict(b), error => hasReason(error, 'TooManyRequests'))
  await cluster.advance(6000)
  await evict(b)
  await cluster.advance(6000)
  assert.deepEqual(await statusOf(cluster), [1, 3, 2, 3])
})
