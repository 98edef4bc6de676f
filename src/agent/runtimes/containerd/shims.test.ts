import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { findShims } from './shims.ts'

const folder = mkdtempSync(join(tmpdir(), 'shims-'))
after(() => rmSync(folder, { recursive: true, force: true }))

test('findShims finds the shims of one containerd, and those that it has lost', () => {
  const proc = join(folder, 'proc')
  const state = join(folder, 'state')
  const shims = { socket: '/run/own.sock', state }
  const process = (pid: number, ...words: string[]) => {
    mkdirSync(join(proc, String(pid)), { recursive: true })
    writeFileSync(join(proc, String(pid), 'cmdline'), words.map(word => `${word}\0`).join(''))
  }
  const shim = (pid: number, id: string, socket = '/run/own.sock') =>
    process(pid, '/usr/bin/containerd-shim-runc-v2', '-namespace', 'k8s.io', '-id', id, '-address', socket)
  shim(1, 'known')
  shim(2, 'lost')
  shim(3, 'other', '/run/containerd/containerd.sock')
  process(4, '/bin/sh', '-c', 'containerd-shim -address /run/own.sock -id x')
  process(5)
  mkdirSync(join(proc, 'self'))
  mkdirSync(join(state, 'io.containerd.runtime.v2.task/k8s.io/known'), { recursive: true })
  assert.deepEqual(findShims(shims, false, proc), [1, 2])
  assert.deepEqual(findShims(shims, true, proc), [2])
})
