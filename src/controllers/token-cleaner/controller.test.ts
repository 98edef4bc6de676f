import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '../../api/kinds/core/secret.ts'
import { createWorld } from '../../control/simulate.ts'
import { tokenCleaner } from './controller.ts'

const NOW = Date.UTC(2026, 0, 1)

function left(expiration: string, parts: { namespace?: string; type?: string } = {}) {
  const { put, list, pass } = createWorld()
  const { namespace = 'kube-system', type = 'bootstrap.kubernetes.io/token' } = parts
  const data = { expiration: Buffer.from(expiration).toString('base64') }
  put<Secret>(Secret, { metadata: { namespace, name: 't' }, type, data })
  const { requeue } = pass(tokenCleaner, `${namespace}/t`, NOW)
  return [list(Secret).length, requeue && 'ms' in requeue ? requeue.ms : undefined]
}

test('tokenCleaner deletes bootstrap tokens at their end, and nothing else', () => {
  assert.deepEqual(left('2026-01-01T00:00:00Z'), [0, undefined])
  assert.deepEqual(left('2026-01-01T00:01:00Z'), [1, 60_000])
  assert.deepEqual(left('never'), [1, undefined])
  assert.deepEqual(left('2020-01-01T00:00:00Z', { namespace: 'default' }), [1, undefined])
  assert.deepEqual(left('2020-01-01T00:00:00Z', { type: 'Opaque' }), [1, undefined])
})
