import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { inOrderOfShutdown, plainPeriods, wholePeriod } from './periods.ts'

const CRITICAL = 2_000_000_000

const pod = (priority?: number): { pod(): Pod } => ({
  pod: () => ({ spec: { containers: [], ...(priority !== undefined && { priority }) } }),
})
const told = (groups: ReturnType<typeof inOrderOfShutdown>) =>
  groups.map(({ seconds, members }) => [seconds, ...members.map(each => each.pod().spec?.priority ?? 'none')])

test('plainPeriods keeps the time of critical pods for the end', () => {
  assert.deepEqual(plainPeriods(30_000, 10_000), [
    { priority: 0, seconds: 20 },
    { priority: CRITICAL, seconds: 10 },
  ])
  assert.deepEqual(plainPeriods(0, 0), [])
})

test('wholePeriod is the sum of all', () => {
  assert.equal(wholePeriod(plainPeriods(30_000, 10_000)), 30_000)
  assert.equal(wholePeriod([]), 0)
})

const PERIODS = [
  { priority: 1000, seconds: 20 },
  { priority: 0, seconds: 10 },
  { priority: CRITICAL, seconds: 5 },
]
for (const [what, priorities, expected] of [
  [
    'goes from the lowest to the highest',
    [CRITICAL, 1000, 0],
    [
      [10, 0],
      [20, 1000],
      [5, CRITICAL],
    ],
  ],
  ['takes no priority as 0', [undefined], [[10, 'none']]],
  [
    'puts one between two into the lower',
    [999, 1001],
    [
      [10, 999],
      [20, 1001],
    ],
  ],
  ['puts one below all into the lowest', [-5], [[10, -5]]],
  ['puts one above all into the highest', [CRITICAL + 1000], [[5, CRITICAL + 1000]]],
  ['leaves out groups without pods', [1000, 1001], [[20, 1000, 1001]]],
  ['has nothing to say of no pods', [], []],
] as const)
  test(`inOrderOfShutdown ${what}`, () => {
    assert.deepEqual(told(inOrderOfShutdown(PERIODS, priorities.map(pod))), expected)
  })

test('inOrderOfShutdown has no group where no period is set', () => {
  assert.deepEqual(inOrderOfShutdown([], [pod(0)]), [])
})
