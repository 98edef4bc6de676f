import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keptCapabilities } from '../capabilities.ts'
import type { Architecture } from './bpf.ts'
import { runtimeDefault } from './filter.ts'
import { verdictOf } from './machine.fixture.ts'
import { callNumber } from './numbers.ts'
import { BLOCKED } from './syscalls.ts'

const MACHINES = { x64: 0xc000003e, arm64: 0xc00000b7 }
const ALLOWED = 0x7fff0000
const EPERM = 0x00050001
const ENOSYS = 0x00050026

const ordinary = keptCapabilities({}, 'default')

for (const architecture of Object.keys(MACHINES) as Architecture[]) {
  const machine = MACHINES[architecture]
  const program = runtimeDefault(architecture, ordinary)

  test(`runtimeDefault keeps what is listed from ordinary processes, and nothing else (${architecture})`, () => {
    const kept = new Map(BLOCKED.map(each => [callNumber(each.name, architecture), each]))
    const special = architecture === 'x64' ? [435, 56, 135, 41] : [435, 220, 92, 198]
    for (let call = 0; call <= 466; call++) {
      if (special.includes(call)) continue
      const listed = kept.get(call)
      const expected = listed && !listed.unless.some(ordinary) ? EPERM : ALLOWED
      assert.equal(verdictOf(program, machine, call), expected, `call ${call}`)
    }
  })

  test(`runtimeDefault knows no call of another kernel or processor (${architecture})`, () => {
    assert.equal(verdictOf(program, machine, 467), ENOSYS)
    assert.equal(verdictOf(program, machine, 0x4000_0000), ENOSYS)
    assert.equal(verdictOf(program, 0x40000003, 0), ENOSYS)
  })

  test(`runtimeDefault lets go of what a capability stands for (${architecture})`, () => {
    const strong = runtimeDefault(architecture, keptCapabilities({ add: ['SYS_ADMIN', 'CAP_SYS_TIME'] }, 'default'))
    const number = (name: string) => callNumber(name, architecture)!
    for (const name of ['mount', 'unshare', 'setns', 'bpf', 'clock_settime']) {
      assert.equal(verdictOf(program, machine, number(name)), EPERM, name)
      assert.equal(verdictOf(strong, machine, number(name)), ALLOWED, name)
    }
    for (const name of ['reboot', 'keyctl', 'kexec_load'])
      assert.equal(verdictOf(strong, machine, number(name)), EPERM, name)
    const weak = runtimeDefault(architecture, keptCapabilities({ drop: ['ALL'] }, 'all'))
    assert.equal(verdictOf(weak, machine, number('chroot')), EPERM)
    assert.equal(verdictOf(program, machine, number('chroot')), ALLOWED)
  })
}

for (const [what, call, argument, expected] of [
  ['clone of a thread', 56, 0x3d0f00, ALLOWED],
  ['clone into a user namespace', 56, 0x10000000, EPERM],
  ['clone3', 435, 0, ENOSYS],
  ['personality of Linux', 135, 0, ALLOWED],
  ['personality without address randomization', 135, 0x0040000, EPERM],
  ['which personality it is', 135, 0xffffffff, ALLOWED],
  ['a socket of the internet', 41, 2, ALLOWED],
  ['a socket of the kernel cryptography', 41, 38, EPERM],
  ['a socket to the machine below', 41, 40, EPERM],
] as const) {
  test(`runtimeDefault: ${what}`, () => {
    assert.equal(verdictOf(runtimeDefault('x64', ordinary), MACHINES.x64, call, [argument]), expected)
  })
}
