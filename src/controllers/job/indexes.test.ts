import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatIndexes, parseIndexes } from './indexes.ts'

for (const [text, indexes] of [
  ['', []],
  ['0', [0]],
  ['1,2', [1, 2]],
  ['1,3-5,7', [1, 3, 4, 5, 7]],
  ['0-9', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
] as const) {
  test(`parseIndexes and formatIndexes agree on ${JSON.stringify(text)}`, () => {
    assert.deepEqual([...parseIndexes(text, 100)], indexes)
    assert.equal(formatIndexes(indexes.toReversed()), text)
  })
}

test('parseIndexes leaves out what is beyond the limit or makes no sense', () => {
  assert.deepEqual([...parseIndexes('1-4,x,9', 3)], [1, 2])
})
