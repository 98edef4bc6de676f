/**
 * The profile RuntimeDefault as a program of the kernel's filter machine (seccomp(2), linux/filter.h). It has the effect
 * of containerd's and Docker's default profiles, turned round: they list what is allowed.
 */
import {
  ALLOW,
  AND,
  ARCH,
  type Architecture,
  AUDIT_ARCH,
  assemble,
  ENOSYS,
  EPERM,
  EQUAL,
  ERROR,
  GREATER,
  type Instruction,
  LOAD,
  low,
  NUMBER,
  RETURN,
} from './bpf.ts'
import { callNumber } from './numbers.ts'
import { BLOCKED, LATEST } from './syscalls.ts'

/** CLONE_NEWCGROUP, -NEWUTS, -NEWIPC, -NEWUSER, -NEWPID, -NEWNET, -NEWNS. */
const NEW_NAMESPACES = 0x7e020000
/** Linux as it is, and forms of it that differ in how time-outs and the name of the kernel look; all ones asks which. */
const PERSONALITIES = [0, 0x0008, 0x20000, 0x20008, 0xffffffff]
/** AF_ALG and AF_VSOCK: the kernel's cryptography, and a way to the machine below this one. */
const FAMILIES = [38, 40]

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
  const numberOf = (name: string) => callNumber(name, architecture)!
  for (const { name, unless } of BLOCKED) {
    const number = callNumber(name, architecture)
    if (number !== undefined && !unless.some(keeps)) program.push(...forCall(number, [refuse(EPERM)]))
  }
  if (!keeps('sys_admin')) {
    program.push(
      ...forCall(numberOf('clone'), [[LOAD, low(0)], [AND, NEW_NAMESPACES], [EQUAL, 0, 0, 1], allow, refuse(EPERM)]),
      // Its flags lie in memory, which a filter cannot read; without it C libraries take clone.
      ...forCall(numberOf('clone3'), [refuse(ENOSYS)]),
    )
  }
  program.push(
    ...forCall(numberOf('personality'), [
      [LOAD, low(0)],
      ...PERSONALITIES.flatMap((value): Instruction[] => [[EQUAL, value, 0, 1], allow]),
      refuse(EPERM),
    ]),
    ...forCall(numberOf('socket'), [
      [LOAD, low(0)],
      ...FAMILIES.flatMap((value): Instruction[] => [[EQUAL, value, 0, 1], refuse(EPERM)]),
      allow,
    ]),
    allow,
  )
  return assemble(program)
}
