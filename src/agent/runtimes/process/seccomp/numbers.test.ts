import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { callNumber } from './numbers.ts'

/** The kernel's own lists, where a machine has them for its compilers; they may be older than ours. */
for (const [architecture, file] of [
  ['x64', '/usr/include/x86_64-linux-gnu/asm/unistd_64.h'],
  ['arm64', '/usr/include/asm-generic/unistd.h'],
] as const)
  test(`callNumber has the kernel's numbers (${architecture})`, { skip: !existsSync(file) && `no ${file}` }, () => {
    const listed = readFileSync(file, 'utf8').matchAll(/^#define __NR(?:3264)?_(\w+) (\d+)$/gm)
    const known = [...listed].flatMap(([, name = '', number]) => {
      const ours = callNumber(name, architecture)
      return ours === undefined ? [] : [[name, ours, Number(number)] as const]
    })
    for (const [name, ours, theirs] of known) assert.equal(ours, theirs, name)
    assert.ok(known.length > 280, `${known.length} calls are known`)
  })

for (const [name, x64, arm64] of [
  ['read', 0, 63],
  ['open', 2, undefined],
  ['clone', 56, 220],
  ['mount', 165, 40],
  ['setns', 308, 268],
  ['seccomp', 317, 277],
  ['open_tree', 428, 428],
  ['move_mount', 429, 429],
  ['mount_setattr', 442, 442],
  ['file_setattr', 469, 469],
  ['no_such_call', undefined, undefined],
] as const)
  test(`callNumber of ${name}`, () =>
    assert.deepEqual([callNumber(name, 'x64'), callNumber(name, 'arm64')], [x64, arm64]))
