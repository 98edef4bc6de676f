import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keptCapabilities } from '../capabilities.ts'
import { type Architecture, runtimeDefault } from './filter.ts'
import { BLOCKED } from './syscalls.ts'

const MACHINES = { x64: 0xc000003e, arm64: 0xc00000b7 }
const ALLOWED = 0x7fff0000
const EPERM = 0x00050001
const ENOSYS = 0x00050026

/** What the kernel would answer: the few instructions of its filter machine that are used. */
function verdict(program: Buffer, machine: number, call: number, argument = 0): number {
  const data = [call, machine, 0, 0, argument]
  let value = 0
  for (let at = 0; at * 8 < program.length; at++) {
    const operand = program.readUInt32LE(at * 8 + 4)
    const jump = (holds: boolean) => program.readUInt8(at * 8 + (holds ? 2 : 3))
    switch (program.readUInt16LE(at * 8)) {
      case 0x20:
        value = data[operand / 4]!
        break
      case 0x54:
        value = (value & operand) >>> 0
        break
      case 0x15:
        at += jump(value === operand)
        break
      case 0x25:
        at += jump(value > operand)
        break
      case 0x06:
        return operand
      default:
        assert.fail(`no such instruction at ${at}`)
    }
  }
  return assert.fail('the program has no end')
}

const ordinary = keptCapabilities({}, 'default')

for (const architecture of Object.keys(MACHINES) as Architecture[]) {
  const machine = MACHINES[architecture]
  const program = runtimeDefault(architecture, ordinary)

  test(`runtimeDefault keeps what is listed from ordinary processes, and nothing else (${architecture})`, () => {
    const kept = new Map(BLOCKED.map(each => [each[architecture], each]))
    const special = architecture === 'x64' ? [435, 56, 135, 41] : [435, 220, 92, 198]
    for (let call = 0; call <= 466; call++) {
      if (special.includes(call)) continue
      const listed = kept.get(call)
      const expected = listed && !listed.unless.some(ordinary) ? EPERM : ALLOWED
      assert.equal(verdict(program, machine, call), expected, `call ${call}`)
    }
  })

  test(`runtimeDefault knows no call of another kernel or processor (${architecture})`, () => {
    assert.equal(verdict(program, machine, 467), ENOSYS)
    assert.equal(verdict(program, machine, 0x4000_0000), ENOSYS)
    assert.equal(verdict(program, 0x40000003, 0), ENOSYS)
  })

  test(`runtimeDefault lets go of what a capability stands for (${architecture})`, () => {
    const strong = runtimeDefault(architecture, keptCapabilities({ add: ['SYS_ADMIN', 'CAP_SYS_TIME'] }, 'default'))
    const number = (name: string) => BLOCKED.find(each => each.name === name)![architecture]!
    for (const name of ['mount', 'unshare', 'setns', 'bpf', 'clock_settime']) {
      assert.equal(verdict(program, machine, number(name)), EPERM, name)
      assert.equal(verdict(strong, machine, number(name)), ALLOWED, name)
    }
    for (const name of ['reboot', 'keyctl', 'kexec_load'])
      assert.equal(verdict(strong, machine, number(name)), EPERM, name)
    const weak = runtimeDefault(architecture, keptCapabilities({ drop: ['ALL'] }, 'all'))
    assert.equal(verdict(weak, machine, number('chroot')), EPERM)
    assert.equal(verdict(program, machine, number('chroot')), ALLOWED)
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
    assert.equal(verdict(runtimeDefault('x64', ordinary), MACHINES.x64, call, argument), expected)
  })
}
