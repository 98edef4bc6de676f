import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer, Ask, Scene } from './ask.ts'
import { differences } from './differences.ts'
import { intended } from './intended.ts'

const answer = (body: unknown): Answer => ({ status: 200, body })
const update = { manager: 'a', operation: 'Update', apiVersion: 'v1' }
const apply = { manager: 'b', operation: 'Apply', apiVersion: 'v1' }

test('differences() counts managers as a set, in items too', () => {
  const list = (...managedFields: unknown[]) => answer({ items: [{ metadata: { managedFields } }] })
  assert.deepEqual(differences(list(update, apply), list(apply, update)), [])
  assert.equal(differences(list(update, apply), list(apply, { ...update, apiVersion: 'v2' })).length, 1)
})

test('differences() counts causes as a set', () => {
  const status = (...causes: unknown[]) => answer({ message: 'x: [a, b]', details: { causes } })
  const a = { field: 'a', message: 'is wrong' }
  const b = { field: 'b', message: 'is wrong' }
  assert.deepEqual(differences(status(a, b, a), status(b, a)), [])
  assert.deepEqual(differences(status(a, b), status(a, { ...b, field: 'c' })), [
    { at: 'body.details.causes[1].field', expected: 'b', actual: 'c' },
  ])
})

const ask: Ask = { title: 'x', method: 'GET', path: '/x' }
const explained = (expected: string, actual: string, at = 'body.details.causes[0].message') =>
  intended.some(each => each.explains({ at, expected, actual }, { topic: 'x' } as Scene, ask, answer({})))

const cases: readonly [string, string, boolean][] = [
  ['spec: Invalid value: {"A":[1]}: no', 'spec: Invalid value: {"a":1}: no', true],
  ['spec: Invalid value: {"A":"}"}: no', 'spec: Invalid value: {"a":1}: never', false],
  [
    'spec: Forbidden: is immutable after creation\n@@ -1 @@\n- "A"\n',
    'spec: Forbidden: is immutable after creation',
    true,
  ],
  [
    'spec: Forbidden: is immutable after creation\n@@ -1 @@\n- "A"\n',
    'x: Forbidden: is immutable after creation',
    false,
  ],
]

for (const [expected, actual, same] of cases) {
  test(`intended ${same ? 'explains' : 'does not explain'} ${JSON.stringify(actual)}`, () => {
    assert.equal(explained(expected, actual), same)
    assert.equal(explained(expected, actual, 'body.details.causes[0].field'), false)
  })
}
