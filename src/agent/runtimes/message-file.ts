/** The file in which a container leaves its last words (API doc: Container.terminationMessagePath). */
import { chmodSync, closeSync, fstatSync, openSync, readSync, writeFileSync } from 'node:fs'

/** What is kept of it (bytes), as by the kubelet. */
const LIMIT = 4096

/** Makes it, empty, for any user to write to. */
export function makeMessageFile(file: string): void {
  writeFileSync(file, '')
  chmodSync(file, 0o666)
}

/** The end of what was written; '' where nothing was. However much it is, no more than the end is read. */
export function readMessageFile(file: string): string {
  try {
    const handle = openSync(file, 'r')
    try {
      const buffer = Buffer.alloc(LIMIT)
      const from = Math.max(0, fstatSync(handle).size - LIMIT)
      return buffer.toString('utf8', 0, readSync(handle, buffer, 0, LIMIT, from))
    } finally {
      closeSync(handle)
    }
  } catch {
    return ''
  }
}
