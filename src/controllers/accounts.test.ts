import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CONTROLLER_ACCOUNTS } from './accounts.ts'
import { controllers } from './all.ts'

/** Kubernetes has no account for this one either: it writes as the manager. */
const AS_MANAGER = new Set(['serviceaccount-token-controller'])

test('every controller writes under a name of its own', () => {
  const names = controllers.map(({ name }) => name)
  const without = names.filter(name => !(name in CONTROLLER_ACCOUNTS) && !AS_MANAGER.has(name))
  assert.deepEqual(without, [], 'name their accounts in accounts.ts')
})
