import assert from 'node:assert/strict'
import { it } from 'node:test'
import { sortedKeys } from './sorted-keys.ts'

/** A small linear congruential generator: the same numbers in every run. */
function numbers(seed: number) {
  let state = seed
  return (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return (state >>> 8) % below
  }
}

it('sortedKeys agrees with a sorted array after any inserts and deletes', () => {
  const next = numbers(7)
  const keys = sortedKeys()
  const model = new Set<string>()
  const walk = (prefix: string, after?: string) => {
    const seen: string[] = []
    keys.walk(prefix, after, key => seen.push(key) > 0)
    return seen
  }
  for (let round = 0; round < 20; round++) {
    for (let turn = 0; turn < 1000; turn++) {
      const key = `/${next(4)}/${next(3000)}`
      // Growing and shrinking in turns.
      if (next(10) < (round % 4 < 2 ? 8 : 2)) {
        assert.equal(keys.add(key), !model.has(key))
        model.add(key)
      } else {
        assert.equal(keys.delete(key), model.delete(key))
      }
    }
    const sorted = [...model].sort()
    assert.equal(keys.size, sorted.length)
    assert.deepEqual(walk(''), sorted)
    const prefix = `/${next(4)}/`
    const after = `${prefix}${next(3000)}`
    assert.deepEqual(
      walk(prefix),
      sorted.filter(key => key.startsWith(prefix)),
    )
    assert.deepEqual(
      walk(prefix, after),
      sorted.filter(key => key.startsWith(prefix) && key > after),
    )
  }
})

it('sortedKeys stops walking when told', () => {
  const keys = sortedKeys()
  for (let at = 0; at < 2000; at++) keys.add(`/${String(at).padStart(4, '0')}`)
  const seen: string[] = []
  keys.walk('/', undefined, key => seen.push(key) < 3)
  assert.deepEqual(seen, ['/0000', '/0001', '/0002'])
})
