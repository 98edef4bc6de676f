import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { membersOf } from '../../cgroups/members.ts'
import { removeRemains } from './remains.ts'
import { runDirectory, shimsOf } from './run-folder.ts'
import { BUNDLES } from './shims.ts'

/** A hierarchy of control groups with processes in it: of version 1, or the one of version 2. */
const root = ['/sys/fs/cgroup/pids', '/sys/fs/cgroup'].find(each => existsSync(join(each, 'cgroup.procs')))
const skip = process.getuid?.() === 0 && root ? false : 'needs root and control groups'

for (const known of [BUNDLES, 'runc'])
  test(`removeRemains ends a container that is known in ${known} alone`, { skip }, async t => {
    const directory = mkdtempSync(join(tmpdir(), 'tutti-remains-'))
    const id = randomBytes(32).toString('hex')
    const group = join(root!, id)
    const child = spawn('sleep', ['1000'], { stdio: 'ignore' })
    const ended = once(child, 'exit')
    t.after(async () => {
      child.kill('SIGKILL')
      await ended
      rmdirSync(group)
      for (const folder of [directory, runDirectory(directory)]) rmSync(folder, { recursive: true, force: true })
    })
    mkdirSync(group)
    writeFileSync(join(group, 'cgroup.procs'), `${child.pid}`)
    mkdirSync(join(shimsOf(directory).state, known, 'k8s.io', id), { recursive: true })
    await removeRemains(directory)
    assert.deepEqual(membersOf([id]), [])
    assert.equal(existsSync(runDirectory(directory)), false)
  })
