import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readdirSync, rmSync, statfsSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { memoryFolder, removeMemoryFolder } from './memory-folder.ts'

const hasMemory = () => {
  try {
    return statfsSync('/dev/shm').type === 0x01021994
  } catch {
    return false
  }
}

test('memoryFolder is one for each directory, and nobody else’s', { skip: !hasMemory() && 'no /dev/shm' }, t => {
  const root = mkdtempSync('/dev/shm/tutti-test-')
  t.after(() => rmSync(root, { recursive: true }))
  const path = memoryFolder('/a', root)!
  assert.equal(memoryFolder('/a', root), path, 'it may stand')
  assert.notEqual(memoryFolder('/b', root), path)
  removeMemoryFolder('/b', root)
  assert.deepEqual(readdirSync(root), [basename(path)])
  chmodSync(path, 0o777)
  assert.equal(memoryFolder('/a', root), undefined, 'others may write to it')
  rmSync(path, { recursive: true })
  symlinkSync(root, path)
  assert.equal(memoryFolder('/a', root), undefined, 'it leads elsewhere')
})

test('memoryFolder is none where there is no memory', t => {
  const root = mkdtempSync(join(tmpdir(), 'tutti-disk-'))
  t.after(() => rmSync(root, { recursive: true }))
  if (statfsSync(root).type !== 0x01021994) assert.equal(memoryFolder('/a', root), undefined)
  assert.equal(memoryFolder('/a', join(root, 'missing')), undefined)
})
