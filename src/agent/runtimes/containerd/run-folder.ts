/** Where a containerd of our own has what runs: a folder of the machine that a reboot empties. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { SHARED_FOLDER } from '../../../lib/shared-folder.ts'
import type { ShimsOf } from './shims.ts'

/** By the folder of what lasts. Sockets' paths are short (107 bytes), data directories may be long. */
export const runDirectory = (directory: string): string =>
  join(SHARED_FOLDER, createHash('sha256').update(directory).digest('hex').slice(0, 8))

/** Where it listens, and what its shims are known by. */
export function shimsOf(directory: string): ShimsOf {
  const run = runDirectory(directory)
  return { socket: join(run, 'containerd.sock'), state: join(run, 'state') }
}
