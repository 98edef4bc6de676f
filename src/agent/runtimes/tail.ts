/** Finds the last lines of a file. */
import type { FileHandle } from 'node:fs/promises'

const CHUNK = 64 * 1024
const NEWLINE = 10

/** Where the last `lines` lines begin, and how many of them there are. */
export interface Tail {
  readonly offset: number
  /** Lines from there on. */
  readonly lines: number
}

/** Looks back from `to` to `from` at most. A last line without its end counts. */
export async function findTail(file: FileHandle, from: number, to: number, lines: number): Promise<Tail> {
  if (lines <= 0 || to <= from) return { offset: to, lines: 0 }
  let left = lines
  let end = to
  const buffer = Buffer.alloc(CHUNK)
  while (end > from) {
    const start = Math.max(from, end - CHUNK)
    const { bytesRead } = await file.read(buffer, 0, end - start, start)
    for (let at = bytesRead - 1; at >= 0; at--) {
      if (buffer[at] !== NEWLINE || start + at === to - 1) continue
      if (--left === 0) return { offset: start + at + 1, lines }
    }
    end = start
  }
  return { offset: from, lines: lines - left + 1 }
}
