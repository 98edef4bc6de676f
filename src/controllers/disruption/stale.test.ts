import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pod } from '../../api/kinds/core/pod.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import { createWorld } from '../../control/simulate.ts'
import { staleDisruptionController } from './stale.ts'

const NOW = Date.UTC(2026, 0, 1)

for (const [what, age, metadata, expected, requeue] of [
  ['waits two minutes', 30_000, {}, 'True', 90_000],
  ['takes the mark back after them', 120_000, {}, 'False', undefined],
  ['leaves a pod that is going', 300_000, { deletionTimestamp: rfc3339(NOW) }, 'True', undefined],
] as const) {
  test(`a disruption that does not come: the controller ${what}`, () => {
    const { put, list, settle } = createWorld()
    const condition = { type: 'DisruptionTarget', status: 'True', reason: 'x', lastTransitionTime: rfc3339(NOW - age) }
    put<Pod>(Pod, {
      metadata: { name: 'p', ...metadata },
      status: { phase: 'Running', conditions: [condition] },
    } as Pod)
    const plan = settle(staleDisruptionController, 'default/p', NOW)
    assert.equal(list<Pod>(Pod)[0]?.status?.conditions?.[0]?.status, expected)
    assert.deepEqual(plan.requeue, requeue === undefined ? undefined : { type: 'after', ms: requeue })
  })
}
