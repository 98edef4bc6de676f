import assert from 'node:assert/strict'
import test from 'node:test'
import { LEAF } from './field-set.ts'
import { sharedSet } from './shared-sets.ts'

const made = (name: string) => ({ 'f:data': { '.': {}, [`f:${name}`]: {} }, 'f:metadata': { 'f:labels': { '.': {} } } })

test('sharedSet gives the same set for equal ones, with what it was asked for in it', () => {
  const first = sharedSet(made('a'))
  assert.equal(sharedSet(made('a')), first)
  assert.deepEqual(first, made('a'))
  assert.notEqual(sharedSet(made('b')), first)
  assert.equal(sharedSet({ 'f:metadata': { 'f:labels': { '.': {} } } })['f:metadata'], first['f:metadata'])
})

test('sharedSet puts steps in order, at every depth, and leaves a set that it gave out', () => {
  const set = {
    'f:spec': { 'k:{"name":"b"}': { 'f:b': {}, '.': {}, 'f:a': {} }, 'k:{"name":"a"}': {} },
    'f:metadata': {},
  }
  const result = sharedSet(set)
  assert.equal(
    JSON.stringify(result),
    '{"f:metadata":{},"f:spec":{"k:{\\"name\\":\\"a\\"}":{},"k:{\\"name\\":\\"b\\"}":{".":{},"f:a":{},"f:b":{}}}}',
  )
  assert.equal(sharedSet(result), result)
  assert.equal(sharedSet({ 'f:metadata': {}, 'f:spec': set['f:spec'] }), result)
})

test('sharedSet knows the empty set, and odd names', () => {
  assert.equal(sharedSet({}), LEAF)
  const odd = JSON.parse('{"f:a":{"__proto__":{}}}')
  assert.equal(JSON.stringify(sharedSet(odd)), JSON.stringify(odd))
})

test('sharedSet forgets what is too much, and goes on', () => {
  for (let at = 0; at < 25_000; at++) sharedSet({ [`f:${at}`]: {} })
  assert.deepEqual(sharedSet(made('a')), made('a'))
})
