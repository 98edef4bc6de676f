import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allocatableOf } from './machine.ts'

test('allocatableOf takes what is reserved away from what there is, and never more', () => {
  const capacity = { cpu: '4', memory: '8388608Ki', 'ephemeral-storage': '1048576Ki', pods: '110' }
  const cases: readonly [reserved: Record<string, string>, expected: Record<string, string>][] = [
    [{}, {}],
    [
      { cpu: '500m', memory: '1Gi' },
      { cpu: '3500m', memory: '7340032Ki' },
    ],
    [{ cpu: '1' }, { cpu: '3' }],
    [{ 'ephemeral-storage': '5Gi' }, { 'ephemeral-storage': '0Ki' }],
    [{ cpu: '9' }, { cpu: '0' }],
    [{ 'example.com/thing': '1' }, {}],
  ]
  for (const [reserved, expected] of cases)
    assert.deepEqual(allocatableOf(capacity, reserved), { ...capacity, ...expected })
})
