import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boundingSet } from './capabilities.ts'

for (const [what, capabilities, kept] of [
  ['all dropped', { drop: ['ALL'] }, '-all'],
  ['one added to none', { add: ['NET_BIND_SERVICE'], drop: ['ALL'] }, '-all,+net_bind_service'],
  ['what is not of the set', { add: ['CAP_SYS_TIME'], drop: ['all'] }, '-all,+sys_time'],
  ['added and dropped', { add: ['CHOWN'], drop: ['ALL', 'CHOWN'] }, '-all,+chown'],
  ['all but some', { add: ['ALL'], drop: ['CAP_CHOWN', 'CHOWN', 'KILL'] }, '+all,-chown,-kill'],
] as const) {
  test(`boundingSet: ${what}`, () => assert.equal(boundingSet(capabilities), kept))
}

test('boundingSet: what is dropped of the set is not in it, all else is', () => {
  const before = boundingSet().split(',')
  assert.ok(before.includes('+chown') && !before.includes('+mknod'))
  const after = boundingSet({ drop: ['CHOWN'] }).split(',')
  assert.deepEqual(
    after,
    before.filter(name => name !== '+chown'),
  )
})
