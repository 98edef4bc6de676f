/** A folder whose files are never written to a disk: a file that is written anew may wait for one, for many ms. */
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'

const TMPFS = 0x01021994
const OURS_ALONE = 0o40700

const pathOf = (directory: string, root: string) =>
  join(root, `tutti-${createHash('sha256').update(directory).digest('hex').slice(0, 16)}`)

/**
 * Makes the one that belongs to `directory`, under `root`, and gives its path; undefined where there is no memory to
 * write to, or somebody else has a thing of that name there (everybody may write to `root`).
 */
export function memoryFolder(directory: string, root = '/dev/shm'): string | undefined {
  const path = pathOf(directory, root)
  try {
    if (statfsSync(root).type !== TMPFS) return undefined
    mkdirSync(path, { recursive: true, mode: 0o700 })
    const { mode, uid } = lstatSync(path)
    return mode === OURS_ALONE && uid === process.geteuid?.() ? path : undefined
  } catch {
    return undefined
  }
}

/** Takes away what a program left that was killed. */
export function removeMemoryFolder(directory: string, root = '/dev/shm'): void {
  rmSync(pathOf(directory, root), { recursive: true, force: true })
}
