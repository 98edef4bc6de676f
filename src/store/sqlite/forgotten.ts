/**
 * Rows that are of no more use: superseded ones and deletions that fell out of the window. They leave the file with
 * batches that are written anyway.
 */
import type { Change } from '../history.ts'
import { ROWS_PER_REVISION } from './file.ts'

export interface Forgotten {
  /** Takes note of changes that left the window. */
  add(changes: readonly Change<{ readonly id: number }>[]): void
  /** Up to `limit` ids; none while someone reads, or while there are too few to be worth it. */
  take(limit: number): readonly number[]
  /** They are still in the file. */
  giveBack(ids: readonly number[]): void
  /** Everything up to this revision is in the file. Rows of later ones cannot be deleted yet. */
  writtenUpTo(revision: number): void
  /** Keeps every row until the returned function is called. */
  pin(): () => void
}

/** Deleting costs pages that would not be written otherwise: it is done for many rows at once. */
const WORTH_IT = 256

/** Makes an empty one. */
export function createForgotten(): Forgotten {
  let ids: number[] = []
  let pins = 0
  let writable = 0

  return {
    add(changes) {
      for (const { current, previous, id } of changes) {
        if (previous) ids.push(previous.id)
        if (!current && id !== undefined) ids.push(id)
      }
    },
    take(limit) {
      if (pins > 0 || ids.length < WORTH_IT) return []
      const taken = ids.slice(0, limit).filter(id => id < writable)
      const gone = new Set(taken)
      ids = ids.filter((id, at) => at >= limit || !gone.has(id))
      return taken
    },
    giveBack(taken) {
      ids.push(...taken)
    },
    writtenUpTo(revision) {
      writable = (revision + 1) * ROWS_PER_REVISION
    },
    pin() {
      pins++
      return () => {
        pins--
      }
    },
  }
}
