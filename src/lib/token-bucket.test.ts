import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bucketsByKey, tokenBucket } from './token-bucket.ts'

const RATE = { everyMs: 500, burst: 2 }

test('tokenBucket gives its burst at once, then one token at a time, and never more than the burst', () => {
  const { take } = tokenBucket(RATE, 100)
  const taken = [100, 100, 100, 599, 600, 600, 99_999, 99_999, 99_999].map(take)
  assert.deepEqual(taken, [true, true, false, false, true, false, true, true, false])
})

test('tokenBucket lends tokens, each of which comes after those that were lent before', () => {
  const { borrow } = tokenBucket(RATE, 0)
  assert.deepEqual([0, 0, 0, 0, 250, 2000].map(borrow), [0, 0, 500, 1000, 1250, 0])
})

test('bucketsByKey counts keys apart, and forgets those used longest ago', () => {
  const take = bucketsByKey({ everyMs: 500, burst: 1 }, 2)
  assert.deepEqual(
    ['a', 'b', 'a', 'c', 'a', 'b'].map(key => take(key, 0)),
    [true, true, false, true, false, true],
  )
})
