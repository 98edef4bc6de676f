import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { tarArchive } from './tar.ts'

test('tarArchive writes what tar reads', () => {
  const archive = tarArchive([
    { name: 'bin/' },
    { name: 'bin/program', bytes: Buffer.from('#!'), mode: 0o755 },
    { name: 'bin/link', link: 'program' },
    { name: 'empty', bytes: Buffer.alloc(0) },
    { name: 'block', bytes: Buffer.alloc(512, 'x') },
  ])
  const listed = execFileSync('tar', ['-tvf', '-'], {
    input: archive,
    encoding: 'utf8',
    env: { TZ: 'UTC', LC_ALL: 'C' },
  })
  assert.deepEqual(
    listed
      .trimEnd()
      .split('\n')
      .map(line => line.replace(/\s+/g, ' ').replace(' 1970-01-01 00:00', '')),
    [
      'drwxr-xr-x 0/0 0 bin/',
      '-rwxr-xr-x 0/0 2 bin/program',
      'lrw-r--r-- 0/0 0 bin/link -> program',
      '-rw-r--r-- 0/0 0 empty',
      '-rw-r--r-- 0/0 512 block',
    ],
  )
})
