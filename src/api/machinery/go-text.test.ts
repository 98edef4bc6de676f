import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goNumber, goPrinted, goQuoted } from './go-text.ts'

const quoted: readonly [text: string, said: string][] = [
  ['a "b"\\', '"a \\"b\\"\\\\"'],
  ['\n\t\r\b\f', '"\\n\\t\\r\\b\\f"'],
  ['\u0007\u000b', '"\\a\\v"'],
  ['\u0000\u001f\u007f', '"\\x00\\x1f\\x7f"'],
  ['\\u0007', '"\\\\u0007"'],
  ['\\\u0007', '"\\\\\\a"'],
  ['ä€😀', '"ä€😀"'],
  ['\u00a0\u200b\u2028', '"\\u00a0\\u200b\\u2028"'],
]

for (const [text, said] of quoted) {
  test(`goQuoted() shows ${JSON.stringify(text)} as Go does`, () => assert.equal(goQuoted(text), said))
}

test('goNumber() shows numbers as Go does', () => {
  assert.deepEqual([1, 1.5, 0.00001, 1e21].map(goNumber), ['1', '1.5', '1e-05', '1e+21'])
})

test('goPrinted() shows what was read from JSON as Go does', () => {
  const value = { b: [1, 'x y', null], a: { c: true, d: {} } }
  assert.equal(goPrinted(value), 'map[a:map[c:true d:map[]] b:[1 x y <nil>]]')
})
