import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '../api/kinds/core/pod.ts'
import { rfc3339 } from '../api/machinery/time.ts'
import { availableIn, deletionOrder } from './pods.ts'

const NOW = Date.UTC(2026, 0, 2)
const HOUR = 3_600_000

interface Shape {
  readonly node?: string
  readonly phase?: string
  /** How long it has been ready, ms. */
  readonly ready?: number
  readonly cost?: string
  readonly restarts?: number
  readonly age?: number
}

const pod = (
  name: string,
  { node = 'n', phase = 'Running', ready, cost, restarts = 0, age = HOUR }: Shape = {},
): Pod => ({
  metadata: {
    name,
    uid: name,
    creationTimestamp: rfc3339(NOW - age),
    ...(cost && { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } }),
  },
  spec: { containers: [], ...(node && { nodeName: node }) },
  status: {
    phase: phase as 'Running',
    ...(ready !== undefined && {
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: rfc3339(NOW - ready) }],
    }),
    containerStatuses: [{ name: 'c', image: '', imageID: '', ready: true, restartCount: restarts }],
  },
})

const readyFor = (ms: number, more: Shape = {}) => ({ ready: ms, ...more })

for (const [what, first, second] of [
  ['one without a node', { node: '' }, readyFor(HOUR)],
  ['a pending one', { phase: 'Pending' }, { phase: 'Running' }],
  ['one that is not ready', {}, readyFor(HOUR)],
  ['a cheaper one', readyFor(9 * HOUR, { cost: '-5' }), readyFor(10, { cost: '3' })],
  ['one on a crowded node', readyFor(9 * HOUR, { node: 'crowded' }), readyFor(10)],
  ['one that became ready lately', readyFor(1000), readyFor(9 * HOUR)],
  ['one that restarted more often', readyFor(HOUR, { restarts: 3 }), readyFor(HOUR, { restarts: 1 })],
  ['a younger one', readyFor(HOUR, { age: HOUR }), readyFor(HOUR, { age: 100 * HOUR })],
] as const) {
  test(`deletionOrder takes ${what} before another`, () => {
    const rank = (each: Pod) => (each.spec?.nodeName === 'crowded' ? 2 : 1)
    const [a, b] = [pod('z', first), pod('a', second)]
    assert.deepEqual(
      deletionOrder([b, a], rank, NOW).map(each => each.metadata?.name),
      ['z', 'a'],
    )
  })
}

test('availableIn counts from the moment a pod became ready', () => {
  assert.equal(availableIn(pod('a'), 10, NOW), undefined)
  assert.equal(availableIn(pod('a', readyFor(4000)), 0, NOW), 0)
  assert.equal(availableIn(pod('a', readyFor(4000)), 10, NOW), 6000)
  assert.equal(availableIn(pod('a', readyFor(11_000)), 10, NOW), 0)
})
