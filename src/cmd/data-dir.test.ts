import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeFolder, openDataDir } from './data-dir.ts'

const root = mkdtempSync(join(tmpdir(), 'tutti-data-dir-'))
after(() => rmSync(root, { recursive: true, force: true }))
const folder = () => mkdtempSync(join(root, 'one-'))

test('openDataDir makes a directory and finds it again', () => {
  const dir = join(folder(), 'a/b')
  openDataDir(dir, '0.1.0')
  openDataDir(dir, '0.1.1')
})

test('openDataDir accepts a directory that holds the log and what somebody laid out for it', () => {
  const dir = folder()
  for (const file of ['tutti.log', 'config.yaml', 'kubelet.yaml', 'credential-providers.yaml'])
    writeFileSync(join(dir, file), '')
  for (const name of ['images', 'manifests', 'seccomp']) mkdirSync(join(dir, name))
  openDataDir(dir, '0.1.0')
})

const refused: [string, (dir: string) => void, RegExp][] = [
  [
    'a folder with other things',
    dir => writeFileSync(join(dir, 'thesis.tex'), ''),
    /holds other things \(thesis\.tex\)/,
  ],
  [
    'another format',
    dir => writeFileSync(join(dir, 'version'), '{"format":99}'),
    /has format 99; this program \(0\.1\.0\) knows format 1/,
  ],
  ['a broken version', dir => writeFileSync(join(dir, 'version'), '{'), /version cannot be read/],
  ['a version that is a folder', dir => mkdirSync(join(dir, 'version')), /version cannot be read/],
]
for (const [title, prepare, message] of refused) {
  test(`openDataDir refuses ${title}`, () => {
    const dir = folder()
    prepare(dir)
    assert.throws(() => openDataDir(dir, '0.1.0'), message)
  })
}

test('openDataDir says why a path cannot be a directory', () => {
  const file = join(folder(), 'file')
  writeFileSync(file, '')
  assert.throws(() => openDataDir(join(file, 'x'), '0.1.0'), /cannot be used: .*ENOTDIR/)
})

test('makeFolder ends with an error where a parent takes no folders', { skip: process.platform !== 'linux' }, () => {
  assert.throws(() => makeFolder('/proc/no-such-folder'), /ENOENT/)
})
