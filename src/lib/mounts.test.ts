import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { mount, mountsBelow, removeTree } from './mounts.ts'

const folder = mkdtempSync(join(tmpdir(), 'tutti-mounts-'))
after(() => rmSync(folder, { recursive: true, force: true }))

test('removeTree: nothing is to do where nothing is, and files go with their folder', async () => {
  await removeTree(join(folder, 'none', 'below'))
  mkdirSync(join(folder, 'full', 'deep'), { recursive: true })
  writeFileSync(join(folder, 'full', 'deep', 'file'), '')
  await removeTree(join(folder, 'full'))
  assert.equal(existsSync(join(folder, 'full')), false)
})

test('removeTree lets go of what is mounted in a folder, and leaves that as it is', async t => {
  const [own, theirs] = [join(folder, 'own'), join(folder, 'theirs')]
  for (const each of [join(own, 'in', 'deep'), join(own, 'also'), theirs]) mkdirSync(each, { recursive: true })
  writeFileSync(join(theirs, 'file'), 'data')
  const refused = await mount('--bind', theirs, join(own, 'in', 'deep')).catch((error: Error) => error.message)
  if (refused) return t.skip(`nothing can be mounted here: ${refused}`)
  await mount('--bind', theirs, join(own, 'also'))
  assert.equal(mountsBelow(own).length, 2)
  await removeTree(own)
  assert.deepEqual([existsSync(own), existsSync(join(theirs, 'file')), mountsBelow(own)], [false, true, []])
})
