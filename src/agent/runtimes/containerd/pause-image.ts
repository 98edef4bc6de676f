/**
 * The image of a pod's first process, made here because no registry may be in reach: one program of a few system calls
 * that waits for SIGTERM while the kernel reaps what ends (scripts/pause has its source, in assembly).
 */

/** Its name in the runtime; a number for each change. */
export const PAUSE_IMAGE = 'tutti.dev/pause:1'

/** Machine code by architecture, as `scripts/pause/assemble` prints it. */
const CODE: Readonly<Record<string, { readonly machine: number; readonly code: string }>> = {
  amd64: {
    machine: 62,
    code: 'uA0AAAC/EQAAAEiNNT8AAAAx0kG6CAAAAA8FuA4AAAAx/0iNNUcAAAAx0g8FuIAAAABIjT03AAAAMfYx0g8FhcB46rg8AAAAMf8PBQ8fQAABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAJAAAAAAAAA',
  },
  arm64: {
    machine: 183,
    code: 'yBCA0iACgNKBAgAQAgCA0gMBgNIBAADU6BCA0gAAgNLBAgAQAgCA0gMBgNIBAADUKBGA0iACABABAIDSAgCA0gMBgNIBAADUQP//N6gLgNIAAIDSAQAA1AEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAkAAAAAAAAA=',
  },
}

const HEADER = 64
const PROGRAM_HEADER = 56
const BASE = 0x40_0000n

/** An executable that is loaded as one segment and begins with its first instruction (ELF-64, little-endian). */
function executable(machine: number, code: Buffer): Buffer {
  const size = HEADER + PROGRAM_HEADER + code.length
  const bytes = Buffer.alloc(HEADER + PROGRAM_HEADER)
  bytes.write('\x7fELF', 0, 'latin1')
  bytes.set([2, 1, 1], 4)
  bytes.writeUInt16LE(2, 16)
  bytes.writeUInt16LE(machine, 18)
  bytes.writeUInt32LE(1, 20)
  bytes.writeBigUInt64LE(BASE + BigInt(HEADER + PROGRAM_HEADER), 24)
  bytes.writeBigUInt64LE(BigInt(HEADER), 32)
  bytes.writeUInt16LE(HEADER, 52)
  bytes.writeUInt16LE(PROGRAM_HEADER, 54)
  bytes.writeUInt16LE(1, 56)
  // PT_LOAD, readable and executable.
  bytes.writeUInt32LE(1, HEADER)
  bytes.writeUInt32LE(5, HEADER + 4)
  for (const [offset, value] of [
    [16, BASE],
    [24, BASE],
    [32, BigInt(size)],
    [40, BigInt(size)],
    [48, 0x1_0000n],
  ] as const)
    bytes.writeBigUInt64LE(value, HEADER + offset)
  return Buffer.concat([bytes, code])
}

/** The program for an architecture; undefined for one that there is no code for. */
export function pauseProgram(architecture: string): Buffer | undefined {
  const found = CODE[architecture]
  return found && executable(found.machine, Buffer.from(found.code, 'base64'))
}

/** The image as an archive; undefined for an architecture that there is no code for. */
export async function pauseArchive(architecture: string): Promise<Buffer | undefined> {
  const bytes = pauseProgram(architecture)
  if (!bytes) return undefined
  // Not needed by a start that finds the image there.
  const { ociArchive } = await import('../../../lib/oci-archive.ts')
  return ociArchive({
    name: PAUSE_IMAGE,
    architecture,
    layers: [[{ name: 'pause', bytes, mode: 0o755 }]],
    config: { Entrypoint: ['/pause'], User: '65535:65535' },
  })
}
