import assert from 'node:assert/strict'
import { test } from 'node:test'
import { controllers } from './all.ts'

test('controllers have a queue each by a name of its own, so that metrics tell them apart', () => {
  const names = controllers.map(({ name, queue = name }) => queue)
  assert.deepEqual(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  )
})
