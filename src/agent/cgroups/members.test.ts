import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { membersOf } from './members.ts'

const POD = '1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed'
const CONTAINER = 'f4b2d9b5dab8dfbbd4bed'

test('membersOf finds processes by a part of their groups, in v1 and v2, and in groups that systemd made', t => {
  const proc = mkdtempSync(join(tmpdir(), 'tutti-proc-'))
  t.after(() => rmSync(proc, { recursive: true }))
  const add = (pid: string, groups: string, state = 'S') => {
    mkdirSync(join(proc, pid))
    writeFileSync(join(proc, pid, 'cgroup'), groups)
    writeFileSync(join(proc, pid, 'stat'), `${pid} (a (b) c) ${state} 1 1`)
  }
  add('7', '0::/init.scope\n')
  add('8', `0::/tutti/n1/kubepods/besteffort/pod${POD}/main-0-abc\n`)
  add('9', `12:pids:/\n3:cpu,cpuacct:/tutti/n1/kubepods/pod${POD}/${CONTAINER}\n`)
  add('10', `0::/tutti.slice/tutti-n1-pod${POD.replaceAll('-', '_')}.slice/cri-containerd-${CONTAINER}.scope\n`)
  // Those that have ended, and what is no process.
  mkdirSync(join(proc, '11'))
  add('12', `0::/pod${POD}\n`, 'Z')
  add('net', `0::/pod${POD}`)
  const cases: [string[], number[]][] = [
    [[POD], [10, 8, 9]],
    [[CONTAINER], [10, 9]],
    [
      ['another', POD],
      [10, 8, 9],
    ],
    [['another'], []],
    [[], []],
  ]
  for (const [ids, pids] of cases)
    assert.deepEqual(
      membersOf(ids, proc).sort((a, b) => String(a).localeCompare(String(b))),
      pids,
      ids.join(),
    )
  assert.deepEqual(membersOf([POD], join(proc, 'missing')), [])
})
