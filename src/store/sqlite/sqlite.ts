/**
 * The store on disk: an index in memory, a file for the bytes, and a thread that writes.
 *
 * A commit is decided on the main thread against the index, without a round trip; it stands in the line
 * (`commit-line.ts`) until the writer's thread has it on the disk. Reads never wait for that. What is decided but not
 * acknowledged is seen by the decisions that follow and by nobody else.
 *
 * The bytes of a value are the store's from the call of `commit` on: they are written later, and must not be changed.
 * `previous` of an event is read from the file when it is first asked for; after it fell out of the window that throws
 * `StoreError` 'compacted'.
 */
import { type Clock, realClock } from '../../lib/clock.ts'
import { type Change, defaultHistory, type HistoryLimits } from '../history.ts'
import { checkOps, checkRevision, type createKeyspace, type Entry, firstConflict } from '../keyspace.ts'
import {
  type CommitResult,
  type KeyValue,
  type Op,
  type RangeOptions,
  type Store,
  StoreError,
  type StoreEvent,
  type WatchOptions,
} from '../store.ts'
import { createWatchers } from '../watchers.ts'
import { rowSize } from './batch.ts'
import { COMMIT_LIMIT, createCommitLine } from './commit-line.ts'
import { ROWS_PER_REVISION, toStoreError } from './file.ts'
import { createForgotten } from './forgotten.ts'
import { loadRows } from './load.ts'
import { openReader, type Reader } from './reader.ts'
import { startWriter } from './writer.ts'

export interface SqliteStoreOptions {
  readonly clock?: Clock
  /** How much of the past is kept for watches and snapshots. */
  readonly history?: Partial<HistoryLimits>
  /**
   * A file that calls `runSqliteWorker()` when it is loaded into a thread. The default is the one beside this file and
   * serves only where the sources are run as they are. A bundle hands in its own: either a second bundled file, or the
   * bundle itself, beginning with `if (isSqliteWorker()) runSqliteWorker()`.
   */
  readonly workerUrl?: URL
}

/** What the index knows of a key. `value` stands here only until it is in the file. */
export interface SqliteEntry extends Entry {
  readonly id: number
  readonly size: number
  value: Buffer | undefined
}

/** Values that are read from the file before others get their turn. */
const VALUES_PER_TURN = 500

/**
 * Opens the file, making it where there is none. Rejects with `StoreError`: 'in-use' (another process has it),
 * 'foreign' (not a store's, or of a newer program), 'corrupt', 'full', 'failed'.
 */
export async function openSqliteStore(path: string, options: SqliteStoreOptions = {}): Promise<Store> {
  const { clock = realClock, history = {} } = options
  const workerUrl = options.workerUrl ?? new URL('./worker-entry.ts', import.meta.url)
  let broken: StoreError | undefined
  let onBroken = () => {}
  const writer = await startWriter(path, workerUrl, error => {
    broken = error
    onBroken()
  })
  const deps = { clock, limits: { ...defaultHistory, ...history }, sizeOf: (entry: SqliteEntry) => entry.size }
  let reader: Reader
  let keyspace: ReturnType<typeof createKeyspace<SqliteEntry>>
  const forgotten = createForgotten()
  try {
    reader = openReader(path)
    keyspace = loadRows(reader, deps, forgotten.add)
    forgotten.writtenUpTo(keyspace.revision())
  } catch (error) {
    await writer.close()
    throw toStoreError(error, path)
  }

  const watchers = createWatchers()
  /** Changes that are decided and not acknowledged, by key: the newest of each. */
  const decided = new Map<string, Change<SqliteEntry>>()
  let newest = keyspace.revision()
  let collecting: StoreEvent[] | undefined
  let closing: Promise<void> | undefined

  const line = createCommitLine({
    clock,
    soon: then => void setImmediate(then),
    write: writer.write,
    takeForgotten: limit => ({ ids: forgotten.take(limit), compacted: keyspace.history.compacted() }),
    returnForgotten: forgotten.giveBack,
    together(acknowledge) {
      collecting = []
      acknowledge()
      const events = collecting
      collecting = undefined
      watchers.publish(events)
    },
    onRefused() {
      decided.clear()
      newest = keyspace.revision()
    },
  })
  onBroken = () => {
    line.abort(broken!)
    watchers.fail(broken!)
  }

  function checkOpen() {
    if (closing) throw new StoreError('closed', `the store ${path} is closed`)
  }

  function toKeyValue(entry: SqliteEntry): KeyValue {
    const { key, createRevision, modRevision } = entry
    return { key, createRevision, modRevision, value: entry.value ?? reader.value(entry.id) }
  }

  /** The event of a change; `value` is what it wrote. */
  function toEvent({ key, revision, current, previous }: Change<SqliteEntry>): StoreEvent {
    let read: KeyValue | undefined
    const event: StoreEvent = current
      ? {
          type: 'put',
          key,
          revision,
          value: current.value ?? reader.value(current.id),
          createRevision: current.createRevision,
        }
      : { type: 'delete', key, revision }
    if (!previous) return event
    return Object.defineProperty(event, 'previous', {
      enumerable: true,
      get() {
        if (!read && keyspace.history.compacted() >= revision) {
          throw new StoreError('compacted', `what stood at ${key} before revision ${revision} has been compacted`)
        }
        return (read ??= toKeyValue(previous))
      },
    })
  }

  const find = (key: string) => {
    const change = decided.get(key)
    return change ? change.current : keyspace.get(key)
  }

  function toChange(op: Op, revision: number, place: number): Change<SqliteEntry> {
    const id = revision * ROWS_PER_REVISION + place
    const { key } = op
    const previous = find(key)
    if (op.type === 'delete') return { revision, key, id, current: undefined, previous }
    const { value } = op
    const createRevision = previous?.createRevision ?? revision
    const current = { key, createRevision, modRevision: revision, id, size: value.length, value }
    return { revision, key, id, current, previous }
  }

  function publish(revision: number, changes: readonly Change<SqliteEntry>[]) {
    const events = changes.map(toEvent)
    forgotten.add(keyspace.apply(revision, changes))
    for (const change of changes) if (decided.get(change.key) === change) decided.delete(change.key)
    if (collecting) collecting.push(...events)
    else watchers.publish(events)
  }

  function refusal(key: string): CommitResult {
    const current = keyspace.get(key)
    return { ok: false, key, current: current && toKeyValue(current) }
  }

  /** Waits for the commits that the conflict is with. */
  function refuseInLine(key: string): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      line.push({ rows: [], relaxed: true, acknowledge: () => resolve(refusal(key)), refuse: reject, written() {} })
    })
  }

  function enterLine(ops: readonly Op[], relaxed: boolean): Promise<CommitResult> {
    const revision = newest + 1
    const changes = ops.map((op, place) => toChange(op, revision, place))
    const rows = changes.map(({ id, key, current }) => ({
      id: id!,
      key,
      created: current?.createRevision ?? 0,
      value: current?.value,
    }))
    const size = rows.reduce((sum, row) => sum + rowSize(row), 0)
    if (size > COMMIT_LIMIT) {
      throw new StoreError('failed', `a commit of ${size} bytes is too large: at most ${COMMIT_LIMIT} are taken`)
    }
    newest = revision
    for (const change of changes) decided.set(change.key, change)
    return new Promise((resolve, reject) => {
      line.push({
        rows,
        relaxed,
        acknowledge() {
          publish(revision, changes)
          resolve({ ok: true, revision })
        },
        refuse: reject,
        written() {
          for (const { current } of changes) if (current) current.value = undefined
          forgotten.writtenUpTo(revision)
        },
      })
    })
  }

  /** Reads values in turns; what they are read from stays in the file meanwhile. */
  async function readValues(entries: readonly SqliteEntry[]): Promise<KeyValue[]> {
    const items: KeyValue[] = []
    const release = forgotten.pin()
    try {
      for (const entry of entries) {
        if (items.length > 0 && items.length % VALUES_PER_TURN === 0) {
          await new Promise<void>(resolve => setImmediate(resolve))
          checkOpen()
        }
        items.push(toKeyValue(entry))
      }
    } finally {
      release()
    }
    return items
  }

  /** Delivers the past in turns, and joins the present in the turn that reaches it. */
  async function watch(options: WatchOptions): Promise<() => void> {
    for (let after = options.after; ; ) {
      checkOpen()
      checkRevision(after, keyspace.history.compacted(), keyspace.revision())
      const past = keyspace.history.after(after)
      const own = past.filter(change => change.key.startsWith(options.prefix))
      const last = own[VALUES_PER_TURN]
      if (!last) return watchers.add(options, own.map(toEvent), keyspace.revision())
      // Whole revisions only.
      const turn = own.filter(change => change.revision < last.revision)
      const taken = turn.length > 0 ? turn : own.filter(change => change.revision === last.revision)
      options.onEvents(taken.map(toEvent))
      after = taken.at(-1)!.revision
      await new Promise<void>(resolve => setImmediate(resolve))
    }
  }

  return {
    revision: keyspace.revision,
    async get(key) {
      checkOpen()
      const entry = keyspace.get(key)
      return entry && toKeyValue(entry)
    },
    async range(options: RangeOptions) {
      checkOpen()
      const { items, revision, more } = keyspace.range(options)
      return { items: await readValues(items), revision, more }
    },
    async commit(ops, durability = 'durable') {
      checkOpen()
      if (broken) throw broken
      checkOps(ops)
      if (ops.length > ROWS_PER_REVISION) {
        throw new StoreError('failed', `a commit of ${ops.length} operations: at most ${ROWS_PER_REVISION} are taken`)
      }
      const conflict = firstConflict(ops, find)
      if (!conflict) return enterLine(ops, durability === 'relaxed')
      return decided.has(conflict.key) ? refuseInLine(conflict.key) : refusal(conflict.key)
    },
    watch,
    async compact(revision) {
      checkOpen()
      checkRevision(revision, 0, keyspace.revision())
      forgotten.add(keyspace.history.compact(revision))
    },
    compactedRevision: keyspace.history.compacted,
    close() {
      closing ??= (async () => {
        try {
          if (!broken) await line.drain()
        } finally {
          watchers.clear()
          reader.close()
          await writer.close()
        }
      })()
      return closing
    },
  }
}
