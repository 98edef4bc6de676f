/**
 * The profile RuntimeDefault as a program of the kernel's filter machine (seccomp(2), linux/filter.h). It has the effect
 * of containerd's and Docker's default profiles, turned round: they list what is allowed.
 */
import { BLOCKED, CLONE, CLONE3, LATEST, PERSONALITY, SOCKET } from './syscalls.ts'

export type Architecture = 'x64' | 'arm64'

/** How the kernel names processors (linux/audit.h). */
const AUDIT_ARCH: Readonly<Record<Architecture, number>> = { x64: 0xc000003e, arm64: 0xc00000b7 }

/** What the program sees (struct seccomp_data): the low halves of what it asks for. */
const NUMBER = 0
const ARCH = 4
const FIRST_ARGUMENT = 16

const LOAD = 0x20
const AND = 0x54
const EQUAL = 0x15
const GREATER = 0x25
const RETURN = 0x06

const ALLOW = 0x7fff0000
const ERROR = 0x00050000
const EPERM = 1
const ENOSYS = 38

/** CLONE_NEWCGROUP, -NEWUTS, -NEWIPC, -NEWUSER, -NEWPID, -NEWNET, -NEWNS. */
const NEW_NAMESPACES = 0x7e020000
/** Linux as it is, and forms of it that differ in how time-outs and the name of the kernel look; all ones asks which. */
const PERSONALITIES = [0, 0x0008, 0x20000, 0x20008, 0xffffffff]
/** AF_ALG and AF_VSOCK: the kernel's cryptography, and a way to the machine below this one. */
const FAMILIES = [38, 40]

/** One instruction; the jumps count those to leave out when the test holds and when it does not. */
type Instruction = readonly [code: number, operand: number, whenTrue?: number, whenFalse?: number]

/** Instructions for one call, which end with a verdict; others go past them. */
const forCall = (number: number, verdict: readonly Instruction[]): Instruction[] => [
  [EQUAL, number, 0, verdict.length],
  ...verdict,
]
const refuse = (error: number): Instruction => [RETURN, ERROR | error]
const allow: Instruction = [RETURN, ALLOW]

/**
 * The program, as an array of `struct sock_filter`. `keeps` says whether a process may have a capability (`sys_admin`).
 * Programs for another processor than the machine's own (32 bits) get ENOSYS for whatever they call.
 */
export function runtimeDefault(architecture: Architecture, keeps: (capability: string) => boolean): Buffer {
  const program: Instruction[] = [
    [LOAD, ARCH],
    [EQUAL, AUDIT_ARCH[architecture], 1, 0],
    refuse(ENOSYS),
    [LOAD, NUMBER],
    // The calls of x32 are far above as well.
    [GREATER, LATEST, 0, 1],
    refuse(ENOSYS),
  ]
  for (const { unless, [architecture]: number } of BLOCKED) {
    if (number !== undefined && !unless.some(keeps)) program.push(...forCall(number, [refuse(EPERM)]))
  }
  if (!keeps('sys_admin')) {
    program.push(
      ...forCall(CLONE[architecture], [
        [LOAD, FIRST_ARGUMENT],
        [AND, NEW_NAMESPACES],
        [EQUAL, 0, 0, 1],
        allow,
        refuse(EPERM),
      ]),
      // Its flags lie in memory, which a filter cannot read; without it C libraries take clone.
      ...forCall(CLONE3, [refuse(ENOSYS)]),
    )
  }
  program.push(
    ...forCall(PERSONALITY[architecture], [
      [LOAD, FIRST_ARGUMENT],
      ...PERSONALITIES.flatMap((value): Instruction[] => [[EQUAL, value, 0, 1], allow]),
      refuse(EPERM),
    ]),
    ...forCall(SOCKET[architecture], [
      [LOAD, FIRST_ARGUMENT],
      ...FAMILIES.flatMap((value): Instruction[] => [[EQUAL, value, 0, 1], refuse(EPERM)]),
      allow,
    ]),
    allow,
  )
  return assemble(program)
}

function assemble(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8)
  for (const [at, [code, operand, whenTrue = 0, whenFalse = 0]] of program.entries()) {
    bytes.writeUInt16LE(code, at * 8)
    bytes.writeUInt8(whenTrue, at * 8 + 2)
    bytes.writeUInt8(whenFalse, at * 8 + 3)
    bytes.writeUInt32LE(operand, at * 8 + 4)
  }
  return bytes
}
