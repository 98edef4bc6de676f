import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inOrder } from './order.ts'

test('inOrder puts the steps of a set in order, at every depth, and leaves one that is', () => {
  const set = {
    'f:spec': { 'k:{"name":"b"}': { 'f:b': {}, '.': {}, 'f:a': {} }, 'k:{"name":"a"}': {} },
    'f:metadata': {},
  }
  const result = inOrder(set)
  assert.equal(
    JSON.stringify(result),
    '{"f:metadata":{},"f:spec":{"k:{\\"name\\":\\"a\\"}":{},"k:{\\"name\\":\\"b\\"}":{".":{},"f:a":{},"f:b":{}}}}',
  )
  assert.equal(inOrder(set), result)
  assert.equal(inOrder(result), result)
})
