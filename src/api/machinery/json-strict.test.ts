import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MAX_DEPTH, parseJson } from './json-strict.ts'

describe('parseJson', () => {
  const duplicates: [string, string[]][] = [
    ['{"a":1}', []],
    ['{"a":1,"a":2}', ['a']],
    ['{"a":{"b":1,"b":2,"b":3},"c":{"b":1}}', ['a.b']],
    ['{"a":[{"x":1,"x":"a{,\\"x\\":"},{"x":1}]}', ['a[0].x']],
    ['[[],[{"k":1,"\\u006b":2}]]', ['[1][0].k']],
    ['{"a":"\\\\","a":[1,2,{}],"b":{}}', ['a']],
    ['{"a" \n : 1, "a"\t:2}', ['a']],
    ['{"a":"\\":\\":","b":":"}', []],
    ['{"__proto__":1,"__proto__":2}', ['__proto__']],
  ]
  for (const [text, expected] of duplicates) {
    it(`parseJson finds ${expected.length} duplicate fields in ${text}`, () => {
      const { value, duplicates: found } = parseJson(Buffer.from(text), true)
      assert.deepEqual(found, expected)
      assert.deepEqual(value, JSON.parse(text))
    })
  }

  const problems: [string, string][] = [
    ['{bad', "invalid character 'b' looking for beginning of object key string"],
    ['', 'unexpected end of JSON input'],
    ['{"a":', 'unexpected end of JSON input'],
    ['{"a": tru', "invalid character ' ' in literal true (expecting 'e')"],
    ['[n', "invalid character ' ' in literal null (expecting 'u')"],
    ['{"a":"t', 'unexpected end of JSON input'],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 2}', "invalid character '2' after object key:value pair"],
    ['[1 2]', "invalid character '2' after array element"],
    ['1 2', "invalid character '2' after top-level value"],
    ['x', "invalid character 'x' looking for beginning of value"],
  ]
  for (const [text, problem] of problems) {
    it(`parseJson refuses ${JSON.stringify(text)} in the real server's words`, () => {
      assert.throws(() => parseJson(text), { message: `couldn't get version/kind; json parse error: ${problem}` })
    })
  }

  it('parseJson refuses bodies that are too deep, and only those', () => {
    const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
    assert.ok(parseJson(nested(MAX_DEPTH)).value)
    assert.throws(() => parseJson(nested(MAX_DEPTH + 1)), /exceeded max depth/)
    assert.throws(() => parseJson('['.repeat(200_000)), /exceeded max depth/)
    assert.ok(parseJson(JSON.stringify({ text: '{['.repeat(5000), list: Array(5000).fill([]) })).value)
  })
})
