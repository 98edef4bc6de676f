import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMerged } from './json-merged.ts'

const cases: readonly [text: string, value: unknown][] = [
  ['{"a":{"x":1},"b":2,"a":{"y":{"z":1}}}', { a: { x: 1, y: { z: 1 } }, b: 2 }],
  ['{"a":{"x":{"p":1}},"a":{"x":{"q":2}}}', { a: { x: { p: 1, q: 2 } } }],
  ['{"a":1,"a":{"x":1}}', { a: { x: 1 } }],
  ['{"a":{"x":1},"a":[1,2]}', { a: [1, 2] }],
  ['{"a":[1],"a":[2,{"b":1,"b":2}]}', { a: [2, { b: 2 }] }],
  [' { "a" : [ ] , "b" : { } , "c" : null } ', { a: [], b: {}, c: null }],
  ['{"a\\"b":"x\\\\","c":"]},{"}', { 'a"b': 'x\\', c: ']},{' }],
  [
    '[[1,2],[-1.5e3,true]]',
    [
      [1, 2],
      [-1500, true],
    ],
  ],
  ['"x"', 'x'],
]

for (const [text, value] of cases) {
  test(`parseMerged() reads ${text}`, () => assert.deepEqual(parseMerged(text), value))
}

test('parseMerged() keeps a field that is named like the prototype', () => {
  const value = parseMerged('{"__proto__":{"a":1},"__proto__":{"b":2}}') as object
  assert.deepEqual(JSON.stringify(value), '{"__proto__":{"a":1,"b":2}}')
})
