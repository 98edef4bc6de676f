import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { Correlation } from './correlation.ts'
import type { JsonSchema } from './json-schema.ts'
import { compileNode } from './node.ts'
import { loadPatterns } from './patterns.ts'
import { valueErrors } from './validate-value.ts'

before(loadPatterns)

const errorsOf = (schema: JsonSchema, spec: unknown) =>
  valueErrors({ spec }, compileNode({ type: 'object', properties: { spec: schema } })).map(
    ({ field, message }) => `${field}: ${message}`,
  )

/** Answers of Kubernetes 1.36. */
const cases: readonly (readonly [JsonSchema, unknown, ...string[]])[] = [
  [{ type: 'string' }, 'a'],
  [{ type: 'string' }, 1, 'spec: Invalid value: "integer": spec in body must be of type string: "integer"'],
  [
    { type: 'integer' },
    1.5,
    'spec: Invalid value: "number": spec in body must be of type integer: "number"',
    '<nil>: Invalid value: "": Checked value must be of type integer (default format) in spec',
  ],
  [{ type: 'string' }, null, 'spec: Invalid value: "null": spec in body must be of type string: "null"'],
  [{ type: 'string', nullable: true }, null],
  [{ type: 'string', maxLength: 2 }, 'äöü', 'spec: Too long: may not be more than 2 bytes'],
  [{ type: 'string', minLength: 2 }, 'a', 'spec: Invalid value: "a": spec in body should be at least 2 chars long'],
  [{ type: 'string', pattern: '^a+$' }, 'b', 'spec: Invalid value: "b": spec in body should match \'^a+$\''],
  [{ type: 'string', enum: ['a', 'b'] }, 'c', 'spec: Unsupported value: "c": supported values: "a", "b"'],
  [{ type: 'integer', maximum: 3 }, 4, 'spec: Invalid value: 4: spec in body should be less than or equal to 3'],
  [
    { type: 'integer', minimum: 3, exclusiveMinimum: true },
    3,
    'spec: Invalid value: 3: spec in body should be greater than 3',
  ],
  [{ type: 'number', multipleOf: 0.1 }, 0.3],
  [{ type: 'integer', multipleOf: 3 }, 4, 'spec: Invalid value: 4: spec in body should be a multiple of 3'],
  [
    { type: 'integer', format: 'int32' },
    2 ** 31,
    '<nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec',
  ],
  [{ type: 'string', format: 'date' }, 'x', 'spec: Invalid value: "x": spec in body must be of type date: "x"'],
  [{ type: 'string', format: 'unheard-of' }, 'x'],
  [
    { 'x-kubernetes-int-or-string': true },
    true,
    'spec: Invalid value: "boolean": spec in body must be of type integer,string: "boolean"',
  ],
  [{ type: 'array', maxItems: 1, items: { type: 'integer' } }, [1, 2], 'spec: Too many: 2: must have at most 1 item'],
  [
    { type: 'array', minItems: 1, items: { type: 'integer' } },
    [],
    'spec: Invalid value: 0: spec in body should have at least 1 items',
  ],
  [
    { type: 'object', maxProperties: 1, additionalProperties: { type: 'string' } },
    { a: 'a', b: 'b' },
    'spec: Too many: 2: must have at most 1 item',
  ],
  [{ type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }, {}, 'spec.a: Required value'],
  [
    { type: 'object', additionalProperties: { type: 'string' } },
    { a: 1 },
    'spec.a: Invalid value: "integer": spec.a in body must be of type string: "integer"',
  ],
  [
    {
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'string' } },
      oneOf: [{ required: ['a'] }, { required: ['b'] }],
    },
    { a: '', b: '' },
    '<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives',
  ],
  [
    { type: 'object', properties: { a: { type: 'string' } }, anyOf: [{ required: ['a'] }] },
    {},
    '<nil>: Invalid value: "": "spec" must validate at least one schema (anyOf)',
    'spec.a: Required value',
  ],
  [
    { type: 'string', not: { enum: ['a'] } },
    'a',
    '<nil>: Invalid value: "": "spec" must not validate the schema (not)',
  ],
]

test('valueErrors says what is wrong as Kubernetes does', () => {
  for (const [schema, value, ...expected] of cases) {
    assert.deepEqual(errorsOf(schema, value), expected, JSON.stringify([schema, value]))
  }
})

test('valueErrors lets what did not change pass, item by item in lists that are maps', () => {
  const item: JsonSchema = {
    type: 'object',
    properties: { name: { type: 'string' }, size: { type: 'integer', maximum: 3 } },
  }
  const root = compileNode({
    type: 'object',
    properties: {
      keyed: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'], items: item },
      plain: { type: 'array', items: item },
    },
  })
  const bad = { name: 'bad', size: 9 }
  const old = { keyed: [bad], plain: [bad] }
  const next = { keyed: [{ name: 'new', size: 1 }, bad], plain: [{ name: 'new', size: 1 }, bad] }
  const fields = valueErrors(next, root, '', new Correlation(root, next, old)).map(error => error.field)
  assert.deepEqual(fields, ['plain[1].size'])
  assert.deepEqual(valueErrors(old, root, '', new Correlation(root, old, old)), [])
})

test('valueErrors takes time linear in the text, whatever the pattern', () => {
  const start = process.cpuUsage()
  errorsOf({ type: 'string', pattern: '^(a+)+$' }, `${'a'.repeat(20_000)}b`)
  assert.ok(process.cpuUsage(start).user < 5_000_000)
})
