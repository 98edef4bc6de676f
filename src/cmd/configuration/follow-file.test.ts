import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as rest } from 'node:timers/promises'
import { silent } from '../../lib/log.ts'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { followFile } from './follow-file.ts'

/** Waits for the system's word of a change, and lets what settles settle. */
async function settle(clock: ReturnType<typeof virtualClock>) {
  while (clock.nextDue() === undefined) await rest(1)
  await clock.advance(200)
}

test('followFile reads what is written, moved into place or linked anew, and goes on after what is wrong', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'follow-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const clock = virtualClock()
  const errors: string[] = []
  const logger = { ...silent, error: (_: object, text = '') => void errors.push(text) }
  const version = (name: string, text: string) => {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'a.yaml'), text)
  }
  version('..1', 'one')
  symlinkSync('..1', join(folder, '..data'))
  symlinkSync('..data/a.yaml', join(folder, 'a.yaml'))
  const file = join(folder, 'a.yaml')
  const seen: string[] = []
  const end = followFile({ file, what: 'the file', known: 'one', clock, logger }, text => {
    if (text === 'bad') throw new Error('bad')
    seen.push(text)
  })
  t.after(end)

  version('..2', 'two')
  symlinkSync('..2', join(folder, '..new'))
  renameSync(join(folder, '..new'), join(folder, '..data'))
  while (seen.length < 1) await settle(clock)
  rmSync(file)
  writeFileSync(file, 'bad')
  while (errors.length < 1) await settle(clock)
  writeFileSync(join(folder, 'b.yaml'), 'three')
  renameSync(join(folder, 'b.yaml'), file)
  while (seen.length < 2) await settle(clock)
  assert.deepEqual(seen, ['two', 'three'])
  assert.deepEqual(new Set(errors), new Set(['the file is wrong now, and stays as it was']))
})
