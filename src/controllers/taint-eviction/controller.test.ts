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
  ['when its time is over', [{ key: KEY, operator: 'Exists', tolerationSeconds: 300 }], '300000'],
  ['at once when it tolerates it for no time', [{ key: KEY, operator: 'Exists', tolerationSeconds: 0 }], 'evicted'],
  [
    'by the first toleration that fits',
    [
      { operator: 'Exists', tolerationSeconds: 7 },
      { key: KEY, operator: 'Exists', tolerationSeconds: 3 },
    ],
    '7000',
  ],
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

test('taint eviction counts from when it noticed, whatever taints follow, and anew for another pod and another life', () => {
  const world = createWorld()
  const taint = (key: string) =>
    world.put<Node>(Node, {
      metadata: { name: 'n', uid: 'n' },
      spec: { taints: [{ key, effect: 'NoExecute', timeAdded: rfc3339(NOW - 3600_000) }] },
    })
  const put = (uid: string) =>
    world.put<Pod>(Pod, {
      metadata: { name: 'p', uid },
      spec: { nodeName: 'n', containers: [], tolerations: [{ operator: 'Exists', tolerationSeconds: 300 }] },
    })
  const left = (now: number) => {
    const { requeue } = world.settle(taintEvictionController, 'default/p', now)
    return requeue?.type === 'after' ? requeue.ms / 1000 : undefined
  }
  taint('not-ready')
  put('one')
  assert.equal(left(NOW), 300)
  taint('unreachable')
  assert.equal(left(NOW + 40_000), 260)
  put('two')
  assert.equal(left(NOW + 50_000), 300)
  world.remove(Pod, 'default/p')
  left(NOW + 60_000)
  assert.equal(world.view.memory.size, 0)
  put('two')
  assert.equal(left(NOW + 70_000), 300)
})
