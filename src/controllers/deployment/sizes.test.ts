import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment } from '../../api/kinds/apps/deployment.ts'
import type { ReplicaSet } from '../../api/kinds/apps/replica-set.ts'
import { maxSurge, maxUnavailable, newSetSize, scaleAll, shrinkOld } from './sizes.ts'

type Bound = number | string
const deployment = (replicas: number, surge: Bound = '25%', unavailable: Bound = '25%'): Deployment => ({
  spec: {
    replicas,
    selector: {},
    template: {},
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } },
  },
})
const set = (name: string, replicas: number, available = replicas, max?: number): ReplicaSet => ({
  metadata: { name, ...(max && { annotations: { 'deployment.kubernetes.io/max-replicas': String(max) } }) },
  spec: { replicas, selector: {} },
  status: { replicas, availableReplicas: available },
})
const sizes = (resized: readonly { set: ReplicaSet; size: number }[]) =>
  Object.fromEntries(resized.map(each => [each.set.metadata?.name, each.size]))

for (const [replicas, surge, unavailable, up, down] of [
  [10, '25%', '25%', 3, 2],
  [3, '25%', '25%', 1, 0],
  [1, '25%', '25%', 1, 0],
  [4, 0, 1, 0, 1],
  [4, 0, '10%', 0, 1],
  [0, '25%', '25%', 0, 0],
  [2, 1, 5, 1, 2],
] as const) {
  test(`maxSurge and maxUnavailable of ${replicas} with ${surge} and ${unavailable} are ${up} and ${down}`, () => {
    const of = deployment(replicas, surge, unavailable)
    assert.deepEqual([maxSurge(of), maxUnavailable(of)], [up, down])
  })
}

for (const [what, sets, current, expected] of [
  ['all of it when nothing else runs', [], 0, 10],
  ['the surge while the old set is full', [set('old', 10)], 0, 3],
  ['nothing more when the surge is used', [set('old', 10), set('new', 3)], 3, 3],
  ['what the old set gave up', [set('old', 6), set('new', 3)], 3, 7],
  ['never more than wanted', [set('old', 0), set('new', 9)], 9, 10],
] as const) {
  test(`newSetSize gives the new set ${what}`, () => {
    assert.equal(newSetSize(deployment(10), sets, current), expected)
  })
}

test('newSetSize waits for pods that the old set has not deleted yet', () => {
  const old = { ...set('old', 6), status: { replicas: 10 } }
  assert.equal(newSetSize(deployment(10), [old, set('new', 3)], 3), 3)
})

for (const [what, fresh, old, expected] of [
  ['what may be missing at once', set('new', 3, 0), [set('old', 10)], { old: 8 }],
  ['no more while new pods are not available', set('new', 5, 0), [set('old', 8)], {}],
  ['as many as became available', set('new', 5, 5), [set('old', 8)], { old: 3 }],
  [
    'pods that are not available first, whatever their set',
    set('new', 3, 0),
    [set('a', 5, 2), set('b', 5, 5)],
    { a: 3 },
  ],
  ['nothing when there is nothing', set('new', 10), [set('old', 0)], {}],
] as const) {
  test(`shrinkOld takes ${what}`, () => {
    assert.deepEqual(sizes(shrinkOld(deployment(10), fresh, old)), expected)
  })
}

for (const [what, replicas, fresh, old, expected] of [
  ['gives the only active set the new number', 5, set('new', 3), [set('old', 0)], { new: 5 }],
  ['brings the new set back when none is active', 5, set('new', 0), [set('old', 0)], { new: 5 }],
  ['brings the latest old set back when there is no new one', 2, undefined, [set('old', 0)], { old: 2 }],
  ['shares growth in proportion', 15, set('new', 5, 0, 13), [set('old', 8, 8, 13)], { old: 11, new: 7 }],
  ['shares a reduction in proportion', 5, set('new', 5, 0, 13), [set('old', 8, 8, 13)], { old: 5, new: 3 }],
  ['takes everything away for 0', 0, set('new', 5, 0, 13), [set('old', 8, 8, 13)], { old: 0, new: 0 }],
  ['changes nothing when the number stands', 3, set('new', 3), [set('old', 0)], {}],
] as const) {
  test(`scaleAll ${what}`, () => {
    assert.deepEqual(sizes(scaleAll(deployment(replicas, 3, 2), fresh, old)), expected)
  })
}
