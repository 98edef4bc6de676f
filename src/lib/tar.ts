/** Writes tar archives (POSIX ustar) of a few files that are in memory. */

export interface TarEntry {
  /** Relative, without a leading `./`; a folder's name ends with `/`. At most 100 bytes. */
  readonly name: string
  /** Absent for folders and links. */
  readonly bytes?: Uint8Array
  /** 0644, and 0755 for folders, when absent. */
  readonly mode?: number
  /** Target of a symbolic link. */
  readonly link?: string
}

const BLOCK = 512
const octal = (value: number, width: number) => `${value.toString(8).padStart(width - 1, '0')}\0`

function header({ name, bytes, mode, link }: TarEntry): Buffer {
  const block = Buffer.alloc(BLOCK)
  if (Buffer.byteLength(name) > 100) throw new RangeError(`${name} is too long a name for a tar archive`)
  const isFolder = name.endsWith('/')
  block.write(name, 0)
  block.write(octal(mode ?? (isFolder ? 0o755 : 0o644), 8), 100)
  block.write(octal(0, 8), 108)
  block.write(octal(0, 8), 116)
  block.write(octal(bytes?.length ?? 0, 12), 124)
  block.write(octal(0, 12), 136)
  block.write(' '.repeat(8), 148)
  block.write(link === undefined ? (isFolder ? '5' : '0') : '2', 156)
  if (link !== undefined) block.write(link, 157)
  block.write('ustar\x0000', 257, 'latin1')
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

/** The archive; owned by root, dated 1970, so that the same entries give the same bytes. */
export function tarArchive(entries: readonly TarEntry[]): Buffer {
  const parts: Uint8Array[] = []
  for (const entry of entries) {
    parts.push(header(entry))
    const { length } = entry.bytes ?? []
    if (entry.bytes && length) parts.push(entry.bytes, Buffer.alloc((BLOCK - (length % BLOCK)) % BLOCK))
  }
  parts.push(Buffer.alloc(2 * BLOCK))
  return Buffer.concat(parts)
}
