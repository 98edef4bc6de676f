/**
 * The store is a log of bytes (DESIGN D2): etcd's semantics, without kinds. Engines are folders beside this file and
 * obey `store.contract.ts`.
 *
 * Invariants:
 * - Every commit takes the next revision, one for all its operations. Revisions start at 1 and never go back.
 * - An acknowledged durable commit survives `kill -9` and power loss; a relaxed one may be lost with the machine or the
 *   process, but never out of order: what survives is a prefix of the log.
 * - Watch events are published, in revision order, before the commit's promise resolves. A watcher sees each event after
 *   its start revision once.
 */

/** A key and its newest value. Values are opaque. */
export interface KeyValue {
  readonly key: string
  readonly value: Buffer
  readonly createRevision: number
  readonly modRevision: number
}

export interface PutOp {
  readonly type: 'put'
  readonly key: string
  readonly value: Buffer
  /** Modification revision that the key must have; 0: it must not exist; undefined: any. */
  readonly expect?: number
}

export interface DeleteOp {
  readonly type: 'delete'
  readonly key: string
  /** Modification revision that the key must have; undefined: any, but it must exist. */
  readonly expect?: number
}

export type Op = PutOp | DeleteOp

/** All operations were applied, or none. */
export type CommitResult =
  | { readonly ok: true; readonly revision: number }
  /** `current` is what stood at `key` (undefined: nothing) when the expectation failed. */
  | { readonly ok: false; readonly key: string; readonly current: KeyValue | undefined }

export interface StoreEvent {
  readonly type: 'put' | 'delete'
  readonly key: string
  readonly revision: number
  /** The new value; for a delete, undefined. */
  readonly value?: Buffer
  readonly createRevision?: number
  /** What stood there before; undefined for a create. */
  readonly previous?: KeyValue
}

export interface RangeOptions {
  /** Every key that starts with this. */
  readonly prefix: string
  /** Begin after this key (exclusive). */
  readonly after?: string
  readonly limit?: number
  /** The state at this revision; now when absent. Compacted revisions throw `StoreError` 'compacted'. */
  readonly revision?: number
}

export interface RangeResult {
  /** In byte order of the key. */
  readonly items: readonly KeyValue[]
  /** The revision that this is a snapshot of. */
  readonly revision: number
  /** There are further keys beyond the limit. */
  readonly more: boolean
}

export interface WatchOptions {
  readonly prefix: string
  /** Events after this revision. Compacted ones throw `StoreError` 'compacted'. */
  readonly after: number
  /** Called synchronously from the commit with every batch of events, in order. Must not throw. */
  onEvents(events: readonly StoreEvent[]): void
  /** The watch ended by a fault of the engine, not by `close`. */
  onError?(error: Error): void
}

export interface Store {
  /** The newest revision. */
  revision(): number
  get(key: string): Promise<KeyValue | undefined>
  range(options: RangeOptions): Promise<RangeResult>
  /** Applies the operations at one revision, or none of them. `relaxed` resolves before the flush to disk. */
  commit(ops: readonly Op[], durability?: 'durable' | 'relaxed'): Promise<CommitResult>
  /** Past events are delivered before this resolves. Returns a function that ends the watch. */
  watch(options: WatchOptions): Promise<() => void>
  /** Forgets the history before `revision`. Engines keep a window of their own as well. */
  compact(revision: number): Promise<void>
  /** Oldest revision whose successors can be watched. */
  compactedRevision(): number
  /** Flushes what is pending and releases everything. */
  close(): Promise<void>
}

/** What can go wrong inside. `code` is for programs, the sentence for people. */
export class StoreError extends Error {
  readonly code: 'compacted' | 'future' | 'full' | 'corrupt' | 'foreign' | 'in-use' | 'closed' | 'failed'

  constructor(code: StoreError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StoreError'
    this.code = code
  }
}
