import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldsOf, headersOf } from './http2-fields.ts'

const cases: readonly (readonly [what: string, fields: readonly string[], headers: readonly (readonly unknown[])[]])[] =
  [
    ['names are in lower case', ['Accept', 'a'], [['accept', 'a']]],
    [
      'values of one name come together',
      ['X-A', '1', 'x-b', '2', 'x-a', '3'],
      [
        ['x-a', ['1', '3']],
        ['x-b', '2'],
      ],
    ],
    [
      'names that objects have are names',
      ['constructor', 'a', '__proto__', 'b'],
      [
        ['constructor', 'a'],
        ['__proto__', 'b'],
      ],
    ],
  ]
for (const [what, fields, headers] of cases)
  test(`headersOf: ${what}`, () => assert.deepEqual(Object.entries(headersOf(fields)), headers))

test('fieldsOf tells each value, and no pseudo-header', () => {
  assert.deepEqual(fieldsOf({ ':path': '/', 'set-cookie': ['a', 'b'], server: 'c' }), [
    ...['set-cookie', 'a'],
    ...['set-cookie', 'b'],
    ...['server', 'c'],
  ])
})
