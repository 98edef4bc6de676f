import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pod } from '../../api/kinds/core/pod.ts'
import { PodDisruptionBudget } from '../../api/kinds/policy/pod-disruption-budget.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import { createWorld } from '../../control/simulate.ts'
import { disruptionController } from './controller.ts'

const NOW = Date.UTC(2026, 0, 1)

test('disruptionController counts ready pods of any name, but for those whose eviction was allowed', () => {
  const { put, list, settle } = createWorld()
  for (const name of ['a', 'b', 'constructor'])
    put<Pod>(Pod, {
      metadata: { name, labels: { app: 'web' } },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    } as Pod)
  const disruptedPods = { b: rfc3339(NOW - 30_000) }
  put<PodDisruptionBudget>(PodDisruptionBudget, {
    metadata: { name: 'web' },
    spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } },
    status: { disruptedPods },
  } as unknown as PodDisruptionBudget)
  const { requeue } = settle(disruptionController, 'default/web', NOW)
  const { status } = list<PodDisruptionBudget>(PodDisruptionBudget)[0]!
  assert.deepEqual([status?.currentHealthy, status?.disruptionsAllowed, status?.disruptedPods], [2, 1, disruptedPods])
  assert.deepEqual(requeue, { type: 'after', ms: 90_000 })
})
