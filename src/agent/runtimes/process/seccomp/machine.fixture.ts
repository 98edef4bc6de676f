/** What the kernel would answer to a call under a filter: the instructions of its filter machine that are used. */
import assert from 'node:assert/strict'

/** `machine` is how the kernel names the processor. */
export function verdictOf(
  program: Buffer,
  machine: number,
  call: number,
  args: readonly (bigint | number)[] = [],
): number {
  const data = Buffer.alloc(64)
  data.writeUInt32LE(call >>> 0, 0)
  data.writeUInt32LE(machine, 4)
  for (const [at, value] of args.entries()) data.writeBigUInt64LE(BigInt(value), 16 + 8 * at)
  let value = 0
  for (let at = 0; at * 8 < program.length; at++) {
    const operand = program.readUInt32LE(at * 8 + 4)
    const jump = (holds: boolean) => program.readUInt8(at * 8 + (holds ? 2 : 3))
    switch (program.readUInt16LE(at * 8)) {
      case 0x20:
        value = data.readUInt32LE(operand)
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
      case 0x35:
        at += jump(value >= operand)
        break
      case 0x06:
        return operand
      default:
        assert.fail(`no such instruction at ${at}`)
    }
  }
  return assert.fail('the program has no end')
}
