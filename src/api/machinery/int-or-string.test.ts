import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { intValue, scaledValue } from './int-or-string.ts'

describe('scaledValue', () => {
  const cases: [number | string, number, boolean, number][] = [
    [3, 10, true, 3],
    ['25%', 10, true, 3],
    ['25%', 10, false, 2],
    ['0%', 10, true, 0],
    ['100%', 7, false, 7],
    ['150%', 2, false, 3],
  ]
  for (const [value, total, roundUp, expected] of cases) {
    it(`scaledValue of ${value} of ${total} rounded ${roundUp ? 'up' : 'down'} is ${expected}`, () => {
      assert.equal(scaledValue(value, total, roundUp), expected)
    })
  }

  it('scaledValue refuses strings that are no percentage', () => {
    assert.throws(() => scaledValue('3', 10, true), /invalid value for IntOrString: invalid type/)
    assert.throws(() => scaledValue('x%', 10, true), /strconv.Atoi: parsing "x": invalid syntax/)
  })

  it('intValue reads numbers and their texts', () => {
    assert.deepEqual([intValue(3), intValue('4'), intValue('http')], [3, 4, 0])
  })
})
