import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createLogger } from './logger.ts'

test('createLogger writes a JSON line at once', t => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-log-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'log')
  createLogger(file, 'info').info({ a: 1 }, 'said')
  const { a, msg } = JSON.parse(readFileSync(file, 'utf8'))
  assert.deepEqual([a, msg], [1, 'said'])
})

const noFull = existsSync('/dev/full') ? false : 'this system has no /dev/full'

test('createLogger ends nothing when the disk is full', { skip: noFull }, () => {
  const logger = createLogger('/dev/full', 'info')
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < 5_000; i++) logger.info({ text: 'x'.repeat(10_000) }, 'nobody will read this')
  const kept = process.memoryUsage().heapUsed - before
  assert.ok(kept < 40e6, `${kept} bytes of lines that cannot be written are kept`)
})
