import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Toleration } from '../../api/generated/types/core-v1.ts'
import { Node } from '../../api/kinds/core/node.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import { createWorld } from '../../control/simulate.ts'
import { taintEvictionController } from './controller.ts'

const NOW = Date.UTC(2026, 0, 1)
const KEY = 'node.kubernetes.io/unreachable'

for (const [what, tolerations, expected] of [
  ['at once without a toleration', [], 'evicted'],
  ['not at all with one for ever', [{ key: KEY, operator: 'Exists' }], 'stays'],
  ['not at all when everything is tolerated', [{ operator: 'Exists' }], 'stays'],
  ['when its time is over', [{ key: KEY, operator: 'Exists', tolerationSeconds: 300 }], '240000'],
  ['at once when its time was over before', [{ key: KEY, operator: 'Exists', tolerationSeconds: 30 }], 'evicted'],
  [
    'at once when it tolerates another effect only',
    [{ key: KEY, operator: 'Exists', effect: 'NoSchedule' }],
    'evicted',
  ],
  ['at once when it tolerates another value only', [{ key: KEY, operator: 'Equal', value: 'x' }], 'evicted'],
] as const) {
  test(`taint eviction takes a pod ${what}`, () => {
    const world = createWorld()
    const timeAdded = rfc3339(NOW - 60_000)
    world.put<Node>(Node, { metadata: { name: 'n' }, spec: { taints: [{ key: KEY, effect: 'NoExecute', timeAdded }] } })
    world.put<Pod>(Pod, {
      metadata: { name: 'p' },
      spec: { nodeName: 'n', containers: [], tolerations: tolerations as unknown as Toleration[] },
    })
    const plan = world.settle(taintEvictionController, 'default/p', NOW)
    const isThere = world.list<Pod>(Pod).length === 1
    const after = plan.requeue?.type === 'after' ? String(plan.requeue.ms) : undefined
    assert.equal(isThere ? (after ?? 'stays') : 'evicted', expected)
    assert.deepEqual(
      world.notes.map(each => each.message),
      isThere ? [] : ['Marking for deletion Pod default/p'],
    )
  })
}
