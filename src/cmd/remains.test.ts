import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { runDirectory } from '../agent/runtimes/containerd/run-folder.ts'
import { memoryFolder, removeMemoryFolder } from '../network/tools/memory-folder.ts'
import { removeRemainsOf } from './remains.ts'

test('removeRemainsOf takes away what a containerd left that never answered, and nothing of other clusters', {
  skip: process.platform === 'linux' && process.getuid?.() === 0 ? false : 'needs root on Linux',
}, async t => {
  const [dataDir, other] = ['one', 'other'].map(name => mkdtempSync(join(tmpdir(), `tutti-remains-${name}-`))) as [
    string,
    string,
  ]
  const run = (each: string) => runDirectory(join(each, 'containerd'))
  t.after(() => {
    for (const each of [dataDir, other, run(dataDir), run(other)]) rmSync(each, { recursive: true, force: true })
  })
  for (const each of [dataDir, other]) {
    mkdirSync(join(run(each), 'cni/bin'), { recursive: true })
    writeFileSync(join(run(each), 'containerd.sock.ttrpc'), '')
    mkdirSync(join(each, 'containerd'))
  }
  const memory = [dataDir, other].flatMap(each => memoryFolder(join(each, 'network')) ?? [])
  t.after(() => removeMemoryFolder(join(other, 'network')))
  await removeRemainsOf(dataDir)
  assert.deepEqual([existsSync(run(dataDir)), existsSync(run(other))], [false, true])
  // Where there is no memory to write to, there is none.
  assert.deepEqual(memory.map(existsSync), memory.length ? [false, true] : [])
  // Nothing is left to do.
  await removeRemainsOf(dataDir)
  rmSync(join(other, 'containerd'), { recursive: true })
  await removeRemainsOf(other)
  assert.equal(existsSync(run(other)), true, 'what this folder has not made is not its own')
})
