import assert from 'node:assert/strict'
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { eventually } from '../../../lib/eventually.fixture.ts'
import { mount, removeTree } from '../../../lib/mounts.ts'
import { endCopier, hasCopied, startCopier } from './copier.ts'
import { alive } from './proc.ts'
import { readRef } from './state.ts'

const refOf = (folder: string) => readRef(join(folder, 'copier'))!

async function start(t: TestContext, prepare: (folder: string) => Promise<unknown> = async () => {}) {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-copier-'))
  await prepare(folder)
  const done = await startCopier(folder)
  const output = openSync(join(folder, 'out'), 'w')
  done()
  let isOpen = true
  const copier = refOf(folder)
  const close = () => {
    if (isOpen) closeSync(output)
    isOpen = false
  }
  const ended = () => eventually(() => !alive(copier), 2)
  t.after(async () => {
    close()
    await ended()
    await removeTree(folder)
  })
  return { folder, log: join(folder, 'log'), output, close, ended }
}

test('startCopier appends what is written to the log, and ends with the last who may write', async t => {
  const { folder, log, output, close, ended } = await start(t, async folder =>
    writeFileSync(join(folder, 'log'), 'old\n'),
  )
  assert.equal(existsSync(join(folder, 'out')), false)
  writeSync(output, 'new\n')
  close()
  await ended()
  assert.equal(readFileSync(log, 'utf8'), 'old\nnew\n')
  assert.equal(hasCopied(folder), true)
})

test('hasCopied is true when all that was written is in the log, whoever may still write', async t => {
  const { folder, log, output } = await start(t)
  let size = 0
  for (const length of [1, 100, 65_536, 3, 1_000_000, 10]) {
    size += writeSync(output, Buffer.alloc(length, 'x'))
    await eventually(() => hasCopied(folder), 1)
    assert.equal(statSync(log).size, size)
  }
})

test('startCopier ends with a container that is not started, with us or without', async () => {
  for (const end of [(done: () => void) => done(), (_: unknown, folder: string) => endCopier(folder)]) {
    const folder = mkdtempSync(join(tmpdir(), 'tutti-copier-'))
    end(await startCopier(folder), folder)
    await eventually(() => !alive(refOf(folder)), 2)
    rmSync(folder, { recursive: true })
  }
})

test('startCopier rejects, and leaves nothing, where nothing can be made', async () => {
  await assert.rejects(startCopier('/nowhere/at/all'), /mkfifo/)
  assert.equal(hasCopied('/nowhere/at/all'), true)
})

test('a full disk holds up nobody who writes, and the log goes on when there is room again', {
  skip: process.getuid?.() === 0 ? false : 'only root may mount a small file system',
}, async t => {
  const small = (folder: string) => mount('-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder)
  const { folder, log, output } = await start(t, small)
  const filler = join(folder, 'filler')
  assert.throws(() => writeFileSync(filler, Buffer.alloc(1 << 20)), { code: 'ENOSPC' })
  // More than a pipe holds.
  writeSync(output, Buffer.alloc(1 << 20, 'x'))
  rmSync(filler)
  await eventually(() => {
    writeSync(output, 'again\n')
    assert.match(readFileSync(log, 'utf8'), /again\n$/)
  }, 50)
})
