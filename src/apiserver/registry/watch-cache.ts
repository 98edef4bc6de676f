/**
 * The bytes-first cache of one resource (DESIGN D3): every object as `Encoded`, one ring of recent events, and the
 * watchers, found by index for the scopes that matter. It is fed by `cache-feed.ts` and never asks the store.
 *
 * Invariants:
 * - `apply` is called in revision order; after it returned, reads show the change and watchers have it queued.
 * - A watcher from revision R gets every event after R that concerns it once, or is refused (`Expired`).
 */
import type { Encoded } from '../../api/machinery/encoded.ts'
import type { Kind } from '../../api/machinery/kind.ts'
import { type CacheEvent, eventRing } from './event-ring.ts'
import { type SortedMap, sortedMap } from './sorted-map.ts'
import { createWatcher, type Watcher, type WatchScope } from './watcher.ts'

/** A position in a list: everything after this object. */
export interface ListCursor {
  readonly namespace: string
  readonly name: string
}

export interface CacheListOptions {
  /** '' is every namespace. */
  readonly namespace: string
  readonly after?: ListCursor
  readonly limit?: number
  readonly matches?: (object: Encoded) => boolean
  /** The state at this revision instead of now. */
  readonly at?: number
}

export interface CacheList {
  readonly items: readonly Encoded[]
  /** Where to go on; undefined at the end. */
  readonly next: ListCursor | undefined
  /** How many objects there are beyond `items`; only where nothing is filtered. */
  readonly remaining: number | undefined
}

export interface CacheWatchOptions {
  readonly scope: WatchScope
  /** Events after this revision; now when undefined. */
  readonly after: number | undefined
  /** A selectable field that must have this value: lets changes of other objects pass by unseen. */
  readonly field?: { readonly name: string; readonly value: string }
  readonly defer?: (wake: () => void) => void
}

export interface WatchCache {
  readonly size: number
  /** Bytes of JSON of all objects. */
  readonly bytes: number
  get(namespace: string, name: string): Encoded | undefined
  /** undefined where `at` is older than the ring. */
  list(options: CacheListOptions): CacheList | undefined
  /** undefined where `after` is older than the ring. */
  watch(options: CacheWatchOptions): Watcher | undefined
  /** Called synchronously with every change. Returns its end. */
  onChange(handler: (event: CacheEvent) => void): () => void
  /** Oldest revision from which a watch can go on. */
  oldest(): number
  /** Puts an object in without an event: the first load. */
  load(namespace: string, name: string, object: Encoded): void
  apply(event: CacheEvent): void
  /** Ends all watches. */
  close(): void
}

/** Events that may wait for one slow watcher before it is cut off; its client comes back with its last revision. */
const WATCHER_LIMIT = 10_000

const NOTHING: CacheList = { items: [], next: undefined, remaining: undefined }

type Index = Map<string, Set<Watcher>>

function addTo(index: Index, key: string, watcher: Watcher): () => void {
  let set = index.get(key)
  if (!set) index.set(key, (set = new Set()))
  set.add(watcher)
  return () => {
    set.delete(watcher)
    if (set.size === 0 && index.get(key) === set) index.delete(key)
  }
}

/** Makes the cache of `kind`, which must be a storage kind, as of revision `start`. */
export function createWatchCache(kind: Kind, start: number): WatchCache {
  const namespaces = sortedMap<SortedMap<Encoded>>()
  const ring = eventRing(start)
  const handlers = new Set<(event: CacheEvent) => void>()
  const byScope: Index = new Map()
  const byField = new Map<string, Index>()
  let size = 0
  let bytes = 0

  // '/' ends a namespace in the map's keys, so that their order is that of the store's keys.
  const bucketOf = (namespace: string) => namespaces.get(`${namespace}/`)

  function put(namespace: string, name: string, object: Encoded) {
    let bucket = bucketOf(namespace)
    if (!bucket) namespaces.set(`${namespace}/`, (bucket = sortedMap()))
    size -= bucket.size
    bytes += object.bytes.length - (bucket.get(name)?.bytes.length ?? 0)
    bucket.set(name, object)
    size += bucket.size
  }
  function remove(namespace: string, name: string) {
    const bucket = bucketOf(namespace)
    if (!bucket) return
    size -= bucket.size
    bytes -= bucket.get(name)?.bytes.length ?? 0
    bucket.delete(name)
    size += bucket.size
    if (bucket.size === 0) namespaces.delete(`${namespace}/`)
  }

  function offer(set: Set<Watcher> | undefined, event: CacheEvent) {
    if (set) for (const watcher of set) watcher.offer(event)
  }
  function dispatch(event: CacheEvent) {
    for (const handler of handlers) handler(event)
    if (byScope.size > 0) {
      offer(byScope.get('/'), event)
      if (event.namespace) offer(byScope.get(`${event.namespace}/`), event)
      offer(byScope.get(`/${event.name}`), event)
      if (event.namespace) offer(byScope.get(`${event.namespace}/${event.name}`), event)
    }
    for (const [field, index] of byField) {
      const read = kind.selectable![field]!
      const before = event.previous && read(event.previous.value)
      const after = event.current && read(event.current.value)
      if (before !== undefined) offer(index.get(before), event)
      if (after !== undefined && after !== before) offer(index.get(after), event)
    }
  }

  /** What stood at `revision` where it differs from now, by namespace and name. */
  function overlayAt(revision: number): Map<string, Map<string, Encoded | undefined>> | undefined {
    if (revision < ring.oldest()) return undefined
    const overlay = new Map<string, Map<string, Encoded | undefined>>()
    for (const event of ring.after(revision)) {
      let names = overlay.get(event.namespace)
      if (!names) overlay.set(event.namespace, (names = new Map()))
      if (!names.has(event.name)) names.set(event.name, event.previous)
    }
    return overlay
  }
  function namespacesToWalk(namespace: string, overlay: Map<string, unknown> | undefined): readonly string[] {
    if (namespace) return [namespace]
    const now = namespaces.keys().map(key => key.slice(0, -1))
    if (!overlay?.size) return now
    const all = new Set([...now, ...overlay.keys()].map(each => `${each}/`))
    return [...all].sort().map(key => key.slice(0, -1))
  }
  function namesToWalk(bucket: SortedMap<Encoded> | undefined, changed: Map<string, unknown> | undefined) {
    const now = bucket?.keys() ?? []
    return changed?.size ? [...new Set([...now, ...changed.keys()])].sort() : now
  }

  function list(options: CacheListOptions): CacheList | undefined {
    const { namespace, after, matches, limit = 0 } = options
    const overlay = options.at === undefined ? undefined : overlayAt(options.at)
    if (options.at !== undefined && !overlay) return undefined
    if (namespace && !overlay && !bucketOf(namespace)) return NOTHING
    const items: Encoded[] = []
    let next: ListCursor | undefined
    let beyond = 0
    for (const each of namespacesToWalk(namespace, overlay)) {
      if (after && `${each}/` < `${after.namespace}/`) continue
      const bucket = bucketOf(each)
      const changed = overlay?.get(each)
      const names = namesToWalk(bucket, changed)
      const first = after && after.namespace === each ? firstAfter(names, after.name) : 0
      for (let at = first; at < names.length; at++) {
        const name = names[at]!
        const object = changed?.has(name) ? changed.get(name) : bucket?.get(name)
        if (!object || (matches && !matches(object))) continue
        if (limit && items.length === limit) {
          if (matches) return { items, next, remaining: undefined }
          beyond++
          continue
        }
        items.push(object)
        if (items.length === limit) next = { namespace: each, name }
      }
    }
    return { items, next: beyond ? next : undefined, remaining: beyond || undefined }
  }

  function watch(options: CacheWatchOptions): Watcher | undefined {
    if (options.after !== undefined && options.after < ring.oldest()) return undefined
    const { scope, field } = options
    let unlink: () => void = () => {}
    const watcher = createWatcher({
      scope,
      limit: WATCHER_LIMIT,
      ...(options.defer && { defer: options.defer }),
      onEnd: () => unlink(),
    })
    if (options.after !== undefined) {
      for (const event of ring.after(options.after)) watcher.offer(event)
    }
    if (field && !scope.name && kind.selectable?.[field.name]) {
      let index = byField.get(field.name)
      if (!index) byField.set(field.name, (index = new Map()))
      const drop = addTo(index, field.value, watcher)
      unlink = () => {
        drop()
        if (index.size === 0) byField.delete(field.name)
      }
    } else unlink = addTo(byScope, `${scope.namespace}/${scope.name}`, watcher)
    return watcher
  }

  function close() {
    const all = [...byScope.values(), ...[...byField.values()].flatMap(index => [...index.values()])]
    for (const watcher of all.flatMap(set => [...set])) watcher.end()
  }

  return {
    get size() {
      return size
    },
    get bytes() {
      return bytes
    },
    get: (namespace, name) => bucketOf(namespace)?.get(name),
    list,
    watch,
    onChange(handler) {
      handlers.add(handler)
      return () => handlers.delete(handler)
    },
    oldest: ring.oldest,
    load: put,
    apply(event) {
      if (event.current) put(event.namespace, event.name, event.current)
      else remove(event.namespace, event.name)
      ring.push(event)
      dispatch(event)
    },
    close,
  }
}

/** Index of the first name after `name` in a sorted list. */
function firstAfter(names: readonly string[], name: string): number {
  let low = 0
  let high = names.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (names[middle]! > name) high = middle
    else low = middle + 1
  }
  return low
}
