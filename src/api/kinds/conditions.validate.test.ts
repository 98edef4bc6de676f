import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Condition } from '../generated/types/meta-v1.ts'
import { checkConditions } from './conditions.validate.ts'
import type { Errors } from './rules.ts'

const GOOD: Condition = {
  type: 'Ready',
  status: 'True',
  reason: 'A_b,c:d',
  message: '',
  lastTransitionTime: '2026-01-01T00:00:00Z',
}

const cases: [change: Partial<Condition>, errors: string[]][] = [
  [{}, []],
  [{ type: 'a b' }, ['c[0].type: FieldValueInvalid']],
  [{ status: 'Yes' }, ['c[0].status: FieldValueNotSupported']],
  [{ reason: '' }, ['c[0].reason: FieldValueRequired']],
  [{ reason: '1' }, ['c[0].reason: FieldValueInvalid']],
  [{ reason: 'a'.repeat(1025) }, ['c[0].reason: FieldValueTooLong']],
  [{ message: 'a'.repeat(32_769) }, ['c[0].message: FieldValueTooLong']],
  [{ observedGeneration: -1 }, ['c[0].observedGeneration: FieldValueInvalid']],
  [{ lastTransitionTime: '' }, ['c[0].lastTransitionTime: FieldValueRequired']],
]
for (const [change, expected] of cases) {
  test(`checkConditions finds ${expected.join() || 'nothing'} for ${JSON.stringify(change).slice(0, 60)}`, () => {
    const errors: Errors = []
    checkConditions([{ ...GOOD, ...change }], 'c', errors)
    assert.deepEqual(
      errors.map(({ field, reason }) => `${field}: ${reason}`),
      expected,
    )
  })
}

test('checkConditions finds a type that stands twice', () => {
  const errors: Errors = []
  checkConditions([GOOD, GOOD], 'c', errors)
  assert.deepEqual(errors, [{ reason: 'FieldValueDuplicate', field: 'c[1].type', message: 'Duplicate value: "Ready"' }])
})
