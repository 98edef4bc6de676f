import assert from 'node:assert/strict'
import { test } from 'node:test'
import { amountOf, readThresholds } from './thresholds.ts'

const lines = (...[fields]: Parameters<typeof readThresholds>) =>
  readThresholds(fields).map(({ signal, below, graceMs, reclaim }) =>
    [signal, ...Object.entries(below)[0]!, graceMs, reclaim ? Object.values(reclaim)[0] : '-'].join(' '),
  )

test('readThresholds has the defaults of a kubelet, and smaller shares of disks', () => {
  assert.deepEqual(lines(), [
    'memory.available value 104857600 0 -',
    'nodefs.available percent 5 0 -',
    'nodefs.inodesFree percent 5 0 -',
    'imagefs.available percent 5 0 -',
    'imagefs.inodesFree percent 5 0 -',
  ])
})

test('readThresholds takes hard ones in the place of all defaults, or beside the others where that is said', () => {
  const evictionHard = { 'memory.available': '1Gi', 'pid.available': '10%' }
  assert.deepEqual(lines({ evictionHard }), ['memory.available value 1073741824 0 -', 'pid.available percent 10 0 -'])
  assert.equal(lines({ evictionHard, mergeDefaultEvictionSettings: true }).length, 6)
})

test('readThresholds reads soft ones with their grace, and what ends a want', () => {
  const found = lines({
    evictionHard: {},
    evictionSoft: { 'nodefs.available': '20%' },
    evictionSoftGracePeriod: { 'nodefs.available': '1m30s' },
    evictionMinimumReclaim: { 'nodefs.available': '500Mi', 'imagefs.available': '1Gi' },
  })
  assert.deepEqual(found, ['nodefs.available percent 20 90000 524288000'])
})

test('readThresholds has none of 0% or 100%', () => {
  assert.deepEqual(lines({ evictionHard: { 'nodefs.available': '0%', 'imagefs.available': '100%' } }), [])
})

for (const [fields, message] of [
  [{ evictionHard: { 'disk.free': '1' } }, /unsupported eviction signal disk\.free: known are memory\.available/],
  [{ evictionHard: { 'memory.available': '-1Gi' } }, /"-1Gi" must be positive/],
  [{ evictionHard: { 'memory.available': '101%' } }, /"101%" is no share from 0% to 100%/],
  [{ evictionHard: { 'memory.available': 'much' } }, /quantities must match/],
  [
    { evictionSoft: { 'memory.available': '1Gi' } },
    /grace period must be specified for the soft eviction threshold mem/,
  ],
  [
    { evictionSoft: { 'memory.available': '1Gi' }, evictionSoftGracePeriod: { 'memory.available': '0s' } },
    /the grace period "0s" of memory\.available must be positive/,
  ],
  [{ evictionSoftGracePeriod: { 'x.available': '1s' } }, /unsupported eviction signal x\.available/],
  [{ evictionMinimumReclaim: { 'memory.available': '' } }, /quantities must match|must be positive/],
] as const)
  test(`readThresholds refuses ${JSON.stringify(fields)}`, () => {
    assert.throws(() => readThresholds(fields), message)
  })

test('amountOf is a share of the whole, or so much', () => {
  assert.equal(amountOf({ percent: 15 }, 200), 30)
  assert.equal(amountOf({ value: 7 }, 200), 7)
})
