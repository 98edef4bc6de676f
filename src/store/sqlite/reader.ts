/**
 * The main thread's own, read-only view of the file. In WAL mode it never waits for the writer.
 */
import { DatabaseSync } from 'node:sqlite'
import { StoreError } from '../store.ts'
import { toStoreError } from './file.ts'

/** A row without its value. */
export interface RowHead {
  readonly id: number
  readonly key: string
  /** 0 for a deletion. */
  readonly created: number
  /** Bytes of its value. */
  readonly size: number
}

export interface Reader {
  /** Revision up to which the past may have been forgotten. */
  compacted(): number
  /** Every row, oldest first. */
  rows(): Iterable<RowHead>
  /** The value of a row that is there. */
  value(id: number): Buffer
  close(): void
}

/** Opens the file that the writer holds. */
export function openReader(path: string): Reader {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 1000 })
  database.exec('pragma mmap_size = 268435456')
  const value = database.prepare('select value from log where id = ?')
  const heads = database.prepare('select id, key, created, length(value) as size from log order by id')
  return {
    compacted: () =>
      (database.prepare("select value from meta where name = 'compacted'").get() as { value: number }).value,
    *rows() {
      try {
        for (const row of heads.iterate()) yield row as unknown as RowHead
      } catch (error) {
        throw toStoreError(error, path)
      }
    },
    value(id) {
      let row: { value: Uint8Array | null } | undefined
      try {
        row = value.get(id) as typeof row
      } catch (error) {
        throw toStoreError(error, path)
      }
      if (!row?.value) throw new StoreError('corrupt', `row ${id} is missing in ${path}`)
      return Buffer.from(row.value.buffer, row.value.byteOffset, row.value.byteLength)
    },
    close: () => database.close(),
  }
}
