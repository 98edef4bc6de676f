import assert from 'node:assert/strict'
import { test } from 'node:test'
import { applyDefaults } from './defaulting.ts'
import type { JsonSchema } from './json-schema.ts'
import { listErrors } from './list-type.ts'
import { compileNode } from './node.ts'
import { coerceEmbedded, embeddedErrors } from './object-meta.ts'
import { pruneNulls, pruneUnknown } from './prune.ts'

const object = (properties: Record<string, JsonSchema>, more: JsonSchema = {}): JsonSchema => ({
  type: 'object',
  properties,
  ...more,
})

test('pruneUnknown takes what the schema does not know, and tells its paths in order', () => {
  const root = compileNode(
    object({
      spec: object({ known: { type: 'string' }, list: { type: 'array', items: object({ a: { type: 'string' } }) } }),
    }),
  )
  const value = { apiVersion: 'v1', kind: 'K', metadata: {}, spec: { known: 'x', z: 1, list: [{ a: '', b: 1 }] }, y: 1 }
  assert.deepEqual(pruneUnknown(value, root, true), ['spec.list[0].b', 'spec.z', 'y'])
  assert.deepEqual(value, { apiVersion: 'v1', kind: 'K', metadata: {}, spec: { known: 'x', list: [{ a: '' }] } })
})

test('pruneUnknown keeps unknown fields where the schema says so, and prunes below known ones all the same', () => {
  const open = { 'x-kubernetes-preserve-unknown-fields': true } as const
  const root = compileNode(object({ spec: object({ known: object({ a: { type: 'string' } }) }, open) }))
  const value = { spec: { free: { x: 1 }, known: { a: '', b: 1 } } }
  assert.deepEqual(pruneUnknown(value, root, true), ['spec.known.b'])
  assert.deepEqual(value, { spec: { free: { x: 1 }, known: { a: '' } } })
})

test('pruneUnknown leaves the type and metadata of embedded resources', () => {
  const root = compileNode(object({ tpl: object({ spec: object({}) }, { 'x-kubernetes-embedded-resource': true }) }))
  const value = { tpl: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec: {}, other: 1 } }
  assert.deepEqual(pruneUnknown(value, root, true), ['tpl.other'])
})

test('pruneNulls takes nulls that are not allowed, and leaves those that a default replaces', () => {
  const root = compileNode(
    object({
      gone: { type: 'string' },
      kept: { type: 'string', nullable: true },
      filled: { type: 'string', default: 'x' },
    }),
  )
  const value = { gone: null, kept: null, filled: null }
  pruneNulls(value, root)
  applyDefaults(value, root)
  assert.deepEqual(value, { kept: null, filled: 'x' })
})

test('applyDefaults fills in nested defaults, of fields that a default brought too, and shares nothing', () => {
  const inner = object({ a: { type: 'integer', default: 1 } }, { default: {} })
  const root = compileNode(object({ inner, list: { type: 'array', items: inner } }))
  const value: { list: unknown[]; inner?: object } = { list: [{}, { a: 2 }] }
  applyDefaults(value, root)
  assert.deepEqual(value, { list: [{ a: 1 }, { a: 2 }], inner: { a: 1 } })
  const other: { inner?: object } = {}
  applyDefaults(other, root)
  assert.notEqual(value.inner, other.inner)
})

test('listErrors finds values of sets and keys of maps that stand twice, once each', () => {
  const root = compileNode(
    object({
      set: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
      map: {
        type: 'array',
        items: object({ a: { type: 'string' }, b: { type: 'string' } }),
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['a'],
      },
    }),
  )
  const value = { set: ['x', 'x', 'x', 'y'], map: [{ a: '1', b: '' }, { a: '2' }, { a: '1' }] }
  assert.deepEqual(
    listErrors(value, root).map(({ field, message }) => `${field}: ${message}`),
    ['set[1]: Duplicate value: "x"', 'map[2]: Duplicate value: {"a":"1"}'],
  )
})

test('embeddedErrors wants a type and good metadata of embedded resources', () => {
  const root = compileNode(object({ tpl: object({}, { 'x-kubernetes-embedded-resource': true }) }))
  const value = { tpl: { apiVersion: 'a/b/c', metadata: { name: 'a/b', labels: { '-': '' } } } }
  assert.deepEqual(
    embeddedErrors(value, root).map(({ field, message }) => `${field}: ${message.slice(0, 60)}`),
    [
      'tpl.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/',
      'tpl.kind: Required value',
      'tpl.metadata.name: Invalid value: "a/b": may not contain \'/\'',
      'tpl.metadata.labels: Invalid value: "-": name part must consist of alphanumeric c',
    ],
  )
})

test('coerceEmbedded takes unknown metadata of embedded resources, and refuses what is mistyped', () => {
  const root = compileNode(object({ tpl: object({}, { 'x-kubernetes-embedded-resource': true }) }))
  assert.deepEqual(coerceEmbedded({ tpl: { metadata: { name: 'a', strange: 1 } } }, root), {
    unknown: ['tpl.metadata.strange'],
  })
  const { error } = coerceEmbedded({ tpl: { metadata: { labels: { a: 1 } } } }, root)
  assert.match(error!, /^tpl\.metadata: Invalid value: .*json: cannot unmarshal number/)
})
