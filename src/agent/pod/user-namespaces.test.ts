import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createUserNamespaces } from './user-namespaces.ts'

test('createUserNamespaces gives each pod ids of its own, and the same ones again in a later life', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-users-'))
  const first = createUserNamespaces(directory)
  const hostOf = (users: ReturnType<typeof createUserNamespaces>, uid: string) => users.take(uid)[0]?.hostId
  assert.deepEqual(first.take('a'), [{ hostId: 65_536, containerId: 0, length: 65_536 }])
  assert.equal(hostOf(first, 'b'), 131_072)
  assert.equal(hostOf(first, 'a'), 65_536)
  const later = createUserNamespaces(directory)
  assert.equal(hostOf(later, 'c'), 196_608)
  assert.equal(hostOf(later, 'b'), 131_072)
  later.give('a')
  rmSync(join(directory, 'a'), { recursive: true })
  assert.equal(hostOf(later, 'd'), 65_536)
  rmSync(directory, { recursive: true })
})
