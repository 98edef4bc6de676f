import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Warnings } from './warnings.ts'

test('a warning is told once', () => {
  const warnings = new Warnings()
  for (const text of ['a', 'b', 'a', '']) warnings.add(text)
  assert.deepEqual(warnings.list, ['a', 'b'])
})

test('warnings that would not fit are cut, then left out', () => {
  const warnings = new Warnings()
  for (let i = 0; i < 100_000; i++) warnings.add(`${i} ${'x'.repeat(1000)}`)
  assert.equal(warnings.list.length, 16)
  assert.deepEqual(
    warnings.list.map(each => each.length),
    Array(16).fill(256),
  )
})
