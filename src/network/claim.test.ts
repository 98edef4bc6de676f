import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { networkClaims } from './claim.ts'

test('networkClaims tell a second cluster who owns the namespace, until it gives it back or is gone', {
  skip: process.platform === 'linux' ? false : 'namespaces are Linux',
}, t => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-claim-'))
  const [first, second] = [mkdtempSync(join(tmpdir(), 'tutti-a-')), mkdtempSync(join(tmpdir(), 'tutti-b-'))]
  t.after(() => {
    for (const each of [folder, first, second]) rmSync(each, { recursive: true, force: true })
  })
  const claims = networkClaims(folder)
  assert.equal(claims.owner(second), undefined)
  claims.claim(first)
  assert.equal(claims.owner(first), undefined)
  assert.equal(claims.owner(second), first)
  claims.release(second)
  assert.equal(claims.owner(second), first)
  writeFileSync(join(folder, 'others'), '')
  claims.release(first)
  assert.equal(claims.owner(second), undefined)
  assert.deepEqual(readdirSync(folder), ['others'])
  rmSync(join(folder, 'others'))
  claims.claim(first)
  claims.release(first)
  assert.equal(existsSync(folder), false)
  claims.claim(first)
  rmSync(first, { recursive: true })
  assert.equal(claims.owner(second), undefined)
})
