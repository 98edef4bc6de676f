import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sortedMap } from './sorted-map.ts'

test('sortedMap walks its keys in order, whatever was written in between', () => {
  const map = sortedMap<number>()
  const model = new Map<string, number>()
  // A small linear congruential generator: the same writes every time.
  let seed = 7
  const next = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648
    return seed % below
  }
  for (let step = 0; step < 3000; step++) {
    const key = `k${next(40)}`
    if (next(3) === 0) {
      map.delete(key)
      model.delete(key)
    } else {
      map.set(key, step)
      model.set(key, step)
    }
    if (next(5) === 0) assert.deepEqual(map.keys(), [...model.keys()].sort())
    assert.equal(map.size, model.size)
    assert.equal(map.get(key), model.get(key))
  }
})
