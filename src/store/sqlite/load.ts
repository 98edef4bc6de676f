/** Builds the index from the file at start: one walk over all rows in the order in which they were written. */

import type { Clock } from '../../lib/clock.ts'
import type { Change, HistoryLimits } from '../history.ts'
import { createKeyspace, type Keyspace } from '../keyspace.ts'
import { ROWS_PER_REVISION } from './file.ts'
import type { Reader, RowHead } from './reader.ts'
import type { SqliteEntry } from './sqlite.ts'

interface Deps {
  readonly clock: Clock
  readonly limits: HistoryLimits
  sizeOf(entry: SqliteEntry): number
}

const revisionOf = (row: RowHead) => Math.floor(row.id / ROWS_PER_REVISION)

/** `forget` is told of the changes whose superseded rows may leave the file. */
export function loadRows(
  reader: Reader,
  deps: Deps,
  forget: (changes: readonly Change<SqliteEntry>[]) => void,
): Keyspace<SqliteEntry> {
  const compacted = reader.compacted()
  const keyspace = createKeyspace<SqliteEntry>(deps, compacted)
  let changes: Change<SqliteEntry>[] = []

  const flush = () => {
    const revision = changes[0]?.revision
    if (revision !== undefined) forget(keyspace.apply(revision, changes))
    changes = []
  }
  for (const row of reader.rows()) {
    const revision = revisionOf(row)
    const { id, key, created, size } = row
    const current = created
      ? { key, createRevision: created, modRevision: revision, id, size, value: undefined }
      : undefined
    const change: Change<SqliteEntry> = { revision, key, id, current, previous: keyspace.get(key) }
    if (revision <= compacted) {
      // The past before the window: only what stands at its begin counts.
      if (current) keyspace.load(current)
      forget([change])
      continue
    }
    if (changes[0] && changes[0].revision !== revision) {
      flush()
      changes.push({ ...change, previous: keyspace.get(key) })
    } else changes.push(change)
  }
  flush()
  return keyspace
}
