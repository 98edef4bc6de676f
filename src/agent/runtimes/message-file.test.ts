import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeMessageFile, readMessageFile } from './message-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'tutti-message-'))
after(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'message')

test('readMessageFile gives what was written, and nothing of a file that is not there', () => {
  assert.equal(readMessageFile(join(folder, 'none')), '')
  makeMessageFile(file)
  assert.equal(readMessageFile(file), '')
  appendFileSync(file, 'because')
  assert.equal(readMessageFile(file), 'because')
})

test('readMessageFile reads the end of a file that is too large to be read as a whole', () => {
  makeMessageFile(file)
  truncateSync(file, 2 ** 36)
  appendFileSync(file, 'the end')
  const text = readMessageFile(file)
  assert.equal(text.length, 4096)
  assert.ok(text.endsWith('\0the end'))
})
