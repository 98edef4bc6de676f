/**
 * What each pod on this node was given, in one small file per pod, so that a restarted program finds it again. A file
 * that is torn or foreign is ignored: then the pod is set up anew.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Allocations<T extends { readonly uid: string }> {
  get(uid: string): T | undefined
  all(): readonly T[]
  put(allocation: T): void
  remove(uid: string): void
}

const SUFFIX = '.json'

/** Opens the directory, making it where it is missing. `read` makes what was kept into what is kept now. */
export function openAllocations<T extends { readonly uid: string }>(
  directory: string,
  read: (kept: T) => T = kept => kept,
): Allocations<T> {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const known = new Map<string, T>()
  for (const file of readdirSync(directory)) {
    if (!file.endsWith(SUFFIX)) continue
    try {
      const allocation = read(JSON.parse(readFileSync(join(directory, file), 'utf8')) as T)
      if (`${allocation.uid}${SUFFIX}` === file) known.set(allocation.uid, allocation)
    } catch {
      rmSync(join(directory, file), { force: true })
    }
  }
  return {
    get: uid => known.get(uid),
    all: () => [...known.values()],
    put(allocation) {
      const file = join(directory, allocation.uid + SUFFIX)
      writeFileSync(`${file}.new`, JSON.stringify(allocation), { mode: 0o600 })
      renameSync(`${file}.new`, file)
      known.set(allocation.uid, allocation)
    },
    remove(uid) {
      rmSync(join(directory, uid + SUFFIX), { force: true })
      known.delete(uid)
    },
  }
}
