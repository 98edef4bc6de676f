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

test('sharedSet keeps the order of steps, and knows the empty set', () => {
  const turned = sharedSet({ 'f:metadata': {}, 'f:data': {} })
  assert.deepEqual(Object.keys(turned), ['f:metadata', 'f:data'])
  assert.equal(sharedSet({}), LEAF)
  const odd = JSON.parse('{"f:a":{"__proto__":{}}}')
  assert.equal(JSON.stringify(sharedSet(odd)), JSON.stringify(odd))
})

test('sharedSet forgets what is too much, and goes on', () => {
  for (let at = 0; at < 25_000; at++) sharedSet({ [`f:${at}`]: {} })
  assert.deepEqual(sharedSet(made('a')), made('a'))
})
