import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseYaml } from './yaml.ts'

describe('parseYaml', () => {
  const cases: [string, unknown][] = [
    ['a: 1', { a: 1 }],
    ['{"a":[1,"x",null]}', { a: [1, 'x', null] }],
    ['a: yes', { a: true }],
    ['a: 2026-01-01T00:00:00Z', { a: '2026-01-01T00:00:00Z' }],
    ['a: 22:22', { a: '22:22' }],
    ['a: 0777', { a: 511 }],
    ['a: !!binary aGk=', { a: 'aGk=' }],
    ['a: &x {b: 1}\nc: {<<: *x, d: 2}', { a: { b: 1 }, c: { b: 1, d: 2 } }],
    ['a: |\n  x\n  y\n', { a: 'x\ny\n' }],
  ]
  for (const [text, expected] of cases) {
    it(`parseYaml reads ${JSON.stringify(text)} as Kubernetes does`, () => {
      assert.deepEqual(parseYaml(text).value, expected)
    })
  }

  it('parseYaml finds keys that stand more than once', () => {
    const { value, duplicates } = parseYaml('a: {b: 1, b: 2}\nc:\n- d: 1\n  d: 2\n')
    assert.deepEqual(value, { a: { b: 2 }, c: [{ d: 2 }] })
    assert.deepEqual(duplicates, ['line 1: key "b" already set in map', 'line 4: key "d" already set in map'])
  })

  it('parseYaml refuses what is broken, too deep, or blows up by aliases', () => {
    assert.throws(() => parseYaml('a: [1'), /error converting YAML to JSON/)
    assert.throws(() => parseYaml('['.repeat(20_000)), /error converting YAML to JSON/)
    const bomb = ['a0: &a0 [x,x,x,x,x,x,x,x,x]']
    for (let i = 1; i < 10; i++)
      bomb.push(
        `a${i}: &a${i} [${Array(9)
          .fill(`*a${i - 1}`)
          .join(',')}]`,
      )
    assert.throws(() => parseYaml(bomb.join('\n')), /error converting YAML to JSON/)
  })
})
