import assert from 'node:assert/strict'
import { test } from 'node:test'
import { virtualClock } from '../lib/virtual-clock.ts'
import { createWriteBudget } from './write-budget.ts'

test('a key may write 300 times in a row, then ten times a second, and has rested after half a minute', async () => {
  const clock = virtualClock()
  const budget = createWriteBudget<string>(clock)
  for (let count = 0; count < 300; count++) assert.equal(budget.spend('a'), 0)
  assert.equal(budget.spend('a'), 100)
  assert.equal(budget.spend('b'), 0, 'another key has its own')
  await clock.advance(100)
  assert.equal(budget.spend('a'), 100)
  await clock.advance(31_000)
  for (let count = 0; count < 300; count++) assert.equal(budget.spend('a'), 0)
})
