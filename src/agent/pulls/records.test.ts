import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { parseReference } from '../images/reference.ts'
import { openRecords, secretProof, type VerificationSettings } from './records.ts'

const folder = mkdtempSync(join(tmpdir(), 'tutti-records-'))
after(() => rmSync(folder, { recursive: true }))
let serial = 0

const IMAGE = parseReference('example.com/team/app:1')
const proof = (name: string, password = name, uid = name) =>
  secretProof({ metadata: { namespace: 'ns', name, uid } }, { username: 'user', password })
const open = (settings: Partial<VerificationSettings> = {}, file = join(folder, `${++serial}.json`)) => ({
  file,
  records: openRecords(file, { policy: 'NeverVerifyPreloadedImages', allowlist: [], ...settings }),
})

test('isOpen lets pods with the secret use what it has opened, and no other', () => {
  const { file, records } = open()
  records.begin(IMAGE)
  records.end(IMAGE, { id: 'one', proof: proof('mine') })
  for (const each of [records, open({}, file).records]) {
    assert.ok(each.isOpen(IMAGE, 'one', [proof('other'), proof('mine')]))
    assert.ok(each.isOpen(IMAGE, 'one', [proof('mine', 'changed since')]), 'the same secret')
    assert.ok(each.isOpen(IMAGE, 'one', [proof('copy', 'mine')]), 'the same content')
    assert.ok(!each.isOpen(IMAGE, 'one', [proof('other')]))
    assert.ok(!each.isOpen(IMAGE, 'one', []))
    assert.ok(!each.isOpen(parseReference('example.com/other:1'), 'one', [proof('mine')]), 'by another name')
  }
})

test('isOpen lets everybody use what was pulled as nobody, or by a proof of the node', () => {
  const { records } = open()
  records.end(IMAGE, { id: 'one', proof: proof('mine') })
  records.end(IMAGE, { id: 'one', proof: undefined })
  records.end(IMAGE, { id: 'one', proof: proof('mine') })
  assert.ok(records.isOpen(IMAGE, 'one', []))
  records.end(IMAGE, { id: 'two', proof: { credentials: { username: 'node' } } })
  assert.ok(records.isOpen(IMAGE, 'two', []))
})

test('isOpen keeps secrets apart, and all that have opened an image', () => {
  const { records } = open()
  records.end(IMAGE, { id: 'one', proof: proof('a') })
  records.end(IMAGE, { id: 'one', proof: proof('b') })
  for (const name of ['a', 'b']) assert.ok(records.isOpen(IMAGE, 'one', [proof(name)]), name)
})

test('isOpen asks by its policy about what was there before', () => {
  for (const [policy, allowlist, expected] of [
    ['NeverVerify', [], true],
    ['NeverVerifyPreloadedImages', [], true],
    ['NeverVerifyAllowlistedImages', [], false],
    ['NeverVerifyAllowlistedImages', ['example.com/team/app'], true],
    ['NeverVerifyAllowlistedImages', ['example.com/*'], true],
    ['NeverVerifyAllowlistedImages', ['example.com/tea/*'], false],
    ['AlwaysVerify', [], false],
  ] as const)
    assert.equal(open({ policy, allowlist }).records.isOpen(IMAGE, 'one', []), expected, `${policy} ${allowlist}`)
})

test('isOpen takes what was being pulled when the program died for pulled, by nobody knows whom', () => {
  const { file, records } = open()
  records.begin(IMAGE)
  assert.ok(!open({}, file).records.isOpen(IMAGE, 'one', [proof('mine')]))
  records.end(IMAGE)
  assert.ok(open({}, file).records.isOpen(IMAGE, 'one', []))
})

test('keep forgets what is gone, and a broken file is none', () => {
  const { file, records } = open({ policy: 'AlwaysVerify' })
  for (const id of ['one', 'two']) records.end(IMAGE, { id, proof: undefined })
  records.keep(new Set(['two']))
  const again = open({ policy: 'AlwaysVerify' }, file).records
  assert.deepEqual([again.isOpen(IMAGE, 'one', []), again.isOpen(IMAGE, 'two', [])], [false, true])
  writeFileSync(file, '{')
  assert.equal(open({ policy: 'AlwaysVerify' }, file).records.isOpen(IMAGE, 'two', []), false)
})
