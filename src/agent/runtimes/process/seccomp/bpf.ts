/** Programs of the kernel's filter machine (linux/filter.h, linux/seccomp.h), as far as filters of system calls need it. */
export type Architecture = 'x64' | 'arm64'

/** How the kernel names processors (linux/audit.h). */
export const AUDIT_ARCH: Readonly<Record<Architecture, number>> = { x64: 0xc000003e, arm64: 0xc00000b7 }

/** Places in what the program sees (struct seccomp_data). */
export const NUMBER = 0
export const ARCH = 4
/** The low and the high half of an argument of the call, from 0 on. */
export const low = (argument: number): number => 16 + 8 * argument
export const high = (argument: number): number => low(argument) + 4

export const LOAD = 0x20
export const AND = 0x54
export const EQUAL = 0x15
export const GREATER = 0x25
export const AT_LEAST = 0x35
export const RETURN = 0x06

/** Verdicts. */
export const ALLOW = 0x7fff0000
export const ERROR = 0x00050000
export const EPERM = 1
export const ENOSYS = 38

/** One instruction; the jumps count those to leave out when the test holds and when it does not. */
export type Instruction = readonly [code: number, operand: number, whenTrue?: number, whenFalse?: number]

/** Instructions that the kernel takes at most. */
const MOST = 4096

/** The program as an array of `struct sock_filter`. Throws an `Error` where it is too long. */
export function assemble(program: readonly Instruction[]): Buffer {
  if (program.length > MOST) throw new Error(`it is too long: ${program.length} instructions, the kernel takes ${MOST}`)
  const bytes = Buffer.alloc(program.length * 8)
  for (const [at, [code, operand, whenTrue = 0, whenFalse = 0]] of program.entries()) {
    bytes.writeUInt16LE(code, at * 8)
    bytes.writeUInt8(whenTrue, at * 8 + 2)
    bytes.writeUInt8(whenFalse, at * 8 + 3)
    bytes.writeUInt32LE(operand, at * 8 + 4)
  }
  return bytes
}
