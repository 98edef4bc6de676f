/**
 * The state and the recent past of an engine that keeps its index in memory: which entry stands at which key now, and
 * at any revision of the window. Knows nothing of values, disks or watchers.
 */

import type { Clock } from '../lib/clock.ts'
import { type Change, createHistory, type History, type HistoryLimits } from './history.ts'
import { sortedKeys } from './sorted-keys.ts'
import { type Op, type RangeOptions, StoreError } from './store.ts'

/** What an engine keeps of a key; it adds the value, or where to find it. */
export interface Entry {
  readonly key: string
  readonly createRevision: number
  readonly modRevision: number
}

export interface Keyspace<E extends Entry> {
  readonly size: number
  readonly history: History<E>
  revision(): number
  get(key: string): E | undefined
  /** Throws `StoreError` 'compacted' or 'future'. */
  range(options: RangeOptions): { items: E[]; revision: number; more: boolean }
  /** Puts an entry in without a change: the first load. */
  load(entry: E): void
  /** Applies the changes of the next revision. Returns what the window forgot for it. */
  apply(revision: number, changes: readonly Change<E>[]): readonly Change<E>[]
}

interface Deps<E> {
  readonly clock: Clock
  readonly limits: HistoryLimits
  sizeOf(entry: E): number
}

/** Refuses what no engine takes: empty transactions, empty keys, one key twice. */
export function checkOps(ops: readonly Op[]): void {
  if (ops.length === 0) throw new StoreError('failed', 'a commit needs at least one operation')
  for (const { key } of ops) if (key === '') throw new StoreError('failed', 'a key must not be empty')
  if (ops.length > 1 && new Set(ops.map(op => op.key)).size < ops.length) {
    throw new StoreError('failed', `a commit names a key twice: ${ops.map(op => op.key).join(', ')}`)
  }
}

/** The first operation whose expectation does not hold for the entries that `find` knows. */
export function firstConflict(ops: readonly Op[], find: (key: string) => Entry | undefined): Op | undefined {
  return ops.find(op => {
    const stands = find(op.key)
    if (op.type === 'delete' && !stands) return true
    return op.expect !== undefined && op.expect !== (stands?.modRevision ?? 0)
  })
}

/** Throws unless the state at `revision` is known. */
export function checkRevision(revision: number, compacted: number, newest: number): void {
  if (revision < compacted) {
    throw new StoreError('compacted', `revision ${revision} has been compacted; the oldest is ${compacted}`)
  }
  if (revision > newest)
    throw new StoreError('future', `revision ${revision} is in the future; the newest is ${newest}`)
}

/** Makes one that stands at `start`, empty, and knows the past since `compacted`. */
export function createKeyspace<E extends Entry>(deps: Deps<E>, start = 0, compacted = start): Keyspace<E> {
  const entries = new Map<string, E>()
  const keys = sortedKeys()
  const history = createHistory<E>(deps, compacted)
  let revision = start

  function put(entry: E) {
    if (!entries.has(entry.key)) keys.add(entry.key)
    entries.set(entry.key, entry)
  }
  function remove(key: string) {
    if (entries.delete(key)) keys.delete(key)
  }

  /** Keys under `prefix` that are different now from what they were at `past`, with what they were. */
  function overlayAt(past: number, prefix: string): Map<string, E | undefined> {
    const overlay = new Map<string, E | undefined>()
    for (const change of history.after(past)) {
      if (change.key.startsWith(prefix) && !overlay.has(change.key)) overlay.set(change.key, change.previous)
    }
    return overlay
  }

  function walkNow({ prefix, after }: RangeOptions, visit: (entry: E) => boolean) {
    keys.walk(prefix, after, key => visit(entries.get(key)!))
  }

  /** As `walkNow`, with what `overlay` says instead. */
  function walkPast(options: RangeOptions, overlay: Map<string, E | undefined>, visit: (entry: E) => boolean) {
    const { prefix, after } = options
    const gone = [...overlay.keys()].filter(key => !entries.has(key) && (after === undefined || key > after)).sort()
    let next = 0
    let going = true
    const visitGone = (before: string | undefined) => {
      for (; going && next < gone.length && (before === undefined || gone[next]! < before); next++) {
        const entry = overlay.get(gone[next]!)
        if (entry) going = visit(entry)
      }
    }
    keys.walk(prefix, after, key => {
      visitGone(key)
      const entry = overlay.has(key) ? overlay.get(key) : entries.get(key)
      if (going && entry) going = visit(entry)
      return going
    })
    visitGone(undefined)
  }

  return {
    get size() {
      return entries.size
    },
    history,
    revision: () => revision,
    get: key => entries.get(key),
    range(options) {
      const at = options.revision ?? revision
      checkRevision(at, history.compacted(), revision)
      const limit = options.limit || Number.POSITIVE_INFINITY
      const items: E[] = []
      let more = false
      const visit = (entry: E) => {
        if (items.length < limit) items.push(entry)
        else more = true
        return !more
      }
      if (at === revision) walkNow(options, visit)
      else walkPast(options, overlayAt(at, options.prefix), visit)
      return { items, revision: at, more }
    },
    load: put,
    apply(next, changes) {
      revision = next
      for (const { key, current } of changes) {
        if (current) put(current)
        else remove(key)
      }
      return history.push(changes)
    },
  }
}
