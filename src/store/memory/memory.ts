/** The store in memory, for tests and for clusters that need not outlive their process. */
import { type Clock, realClock } from '../../lib/clock.ts'
import { type Change, defaultHistory, type HistoryLimits } from '../history.ts'
import { checkOps, checkRevision, createKeyspace, firstConflict } from '../keyspace.ts'
import { type KeyValue, type Op, type Store, StoreError, type StoreEvent } from '../store.ts'
import { createWatchers } from '../watchers.ts'

export interface MemoryStoreOptions {
  readonly clock?: Clock
  /** How much of the past is kept for watches and snapshots. */
  readonly history?: Partial<HistoryLimits>
}

function toEvent({ key, revision, current, previous }: Change<KeyValue>): StoreEvent {
  const before = previous && { previous }
  return current
    ? { type: 'put', key, revision, value: current.value, createRevision: current.createRevision, ...before }
    : { type: 'delete', key, revision, ...before }
}

/** Makes an empty one. */
export function memoryStore({ clock = realClock, history = {} }: MemoryStoreOptions = {}): Store {
  const limits = { ...defaultHistory, ...history }
  const keyspace = createKeyspace<KeyValue>({ clock, limits, sizeOf: entry => entry.value.length })
  const watchers = createWatchers()
  let closed = false

  function checkOpen() {
    if (closed) throw new StoreError('closed', 'the store is closed')
  }

  function toChange(op: Op, revision: number): Change<KeyValue> {
    const previous = keyspace.get(op.key)
    if (op.type === 'delete') return { revision, key: op.key, current: undefined, previous }
    const createRevision = previous?.createRevision ?? revision
    return {
      revision,
      key: op.key,
      previous,
      current: { key: op.key, value: op.value, createRevision, modRevision: revision },
    }
  }

  return {
    revision: keyspace.revision,
    async get(key) {
      checkOpen()
      return keyspace.get(key)
    },
    async range(options) {
      checkOpen()
      return keyspace.range(options)
    },
    async commit(ops) {
      checkOpen()
      checkOps(ops)
      const conflict = firstConflict(ops, keyspace.get)
      if (conflict) return { ok: false, key: conflict.key, current: keyspace.get(conflict.key) }
      const revision = keyspace.revision() + 1
      const changes = ops.map(op => toChange(op, revision))
      keyspace.apply(revision, changes)
      watchers.publish(changes.map(toEvent))
      return { ok: true, revision }
    },
    async watch(options) {
      checkOpen()
      checkRevision(options.after, keyspace.history.compacted(), keyspace.revision())
      const past = keyspace.history.after(options.after).filter(change => change.key.startsWith(options.prefix))
      return watchers.add(options, past.map(toEvent), keyspace.revision())
    },
    async compact(revision) {
      checkOpen()
      checkRevision(revision, 0, keyspace.revision())
      keyspace.history.compact(revision)
    },
    compactedRevision: keyspace.history.compacted,
    async close() {
      closed = true
      watchers.clear()
    },
  }
}
