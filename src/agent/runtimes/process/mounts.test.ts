import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { mountsBelow } from '../../../lib/mounts.ts'
import { bindLines } from './mounts.ts'

/** Below it a machine has mounts of its own: /dev/pts, /dev/shm. */
const FOLDER = '/dev'
const inner = mountsBelow(FOLDER).filter(point => point !== FOLDER)

test('bindLines: what is mounted below a folder is read-only at its place, also where a link leads to the folder', {
  skip: inner.length === 0 && `nothing is mounted below ${FOLDER}`,
}, t => {
  const directory = mkdtempSync(join(tmpdir(), 'mounts-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const link = join(directory, 'link')
  symlinkSync(FOLDER, link)
  for (const from of [FOLDER, link]) {
    const [whole, ...below] = bindLines({ from, to: '/v', readOnly: true, recursiveReadOnly: true }, '/v')
    assert.equal(whole, `${from} /v none bind,ro 0 0\n`)
    const expected = inner.map(point => `${point} ${point.replace(FOLDER, '/v')} none bind,ro 0 0\n`)
    assert.deepEqual(below, expected.reverse())
  }
})
