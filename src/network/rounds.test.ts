import assert from 'node:assert/strict'
import { test } from 'node:test'
import { virtualClock } from '../lib/virtual-clock.ts'
import { createRounds } from './rounds.ts'

test('createRounds tries once a second where all fails, however much changes meanwhile', async () => {
  const [clock, scope] = [virtualClock(), new AbortController()]
  let made = 0
  const rounds = createRounds(
    {
      make: async () => {
        made++
        throw new Error('no')
      },
      failed: () => {},
      clock,
    },
    scope.signal,
  )
  for (const expected of [1, 2, 3]) {
    rounds.wake()
    await rounds.idle()
    assert.equal(made, expected, 'what changed is tried at once')
    await clock.advance(100)
  }
  await clock.advance(800)
  await rounds.idle()
  assert.equal(made, 3)
  await clock.advance(100)
  await rounds.idle()
  assert.equal(made, 4)
  scope.abort()
})
