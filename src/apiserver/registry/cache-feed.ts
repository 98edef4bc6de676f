/**
 * Feeds the watch caches from the store: one load, then one watch over everything, so that a single revision says how
 * current all of them are.
 */
import { committedObject, Encoded, stampRevision } from '../../api/machinery/encoded.ts'
import type { Kind } from '../../api/machinery/kind.ts'
import type { KeyValue, Store, StoreEvent } from '../../store/store.ts'
import type { CacheEvent } from './event-ring.ts'
import { ROOT, resourceOf, splitKey, storeKey } from './store-key.ts'
import { createWatchCache, type WatchCache } from './watch-cache.ts'

export interface CacheFeed {
  /** The revision up to which every cache is current. */
  revision(): number
  /** By resource (`resourceOf`). */
  cache(resource: string): WatchCache | undefined
  /** Begins to serve a storage kind; harmless when its resource is served already. */
  add(kind: Kind): Promise<void>
  remove(resource: string): void
  /** Resolves once `revision` is in the caches; at once when it is. */
  reached(revision: number): Promise<void>
  /** Ends the store's watch and all watchers. */
  close(): void
}

const encode = (stored: Buffer, revision: number) => new Encoded(stampRevision(stored, revision), revision)

function toCacheEvent(event: StoreEvent, at: number, cache: WatchCache): CacheEvent {
  const slash = event.key.indexOf('/', at)
  const namespace = slash < 0 ? '' : event.key.slice(at, slash)
  const name = event.key.slice(slash < 0 ? at : slash + 1)
  return {
    revision: event.revision,
    namespace,
    name,
    previous: cache.get(namespace, name),
    current: event.value && committedObject(event.value, event.revision),
    sent: {},
  }
}

/** Puts stored objects into a cache. `prefixLength`: what of their keys is not `[namespace/]name`. */
export function loadInto(cache: WatchCache, items: readonly KeyValue[], prefixLength: number) {
  for (const { key, value, modRevision } of items) {
    const slash = key.indexOf('/', prefixLength)
    const namespace = slash < 0 ? '' : key.slice(prefixLength, slash)
    cache.load(namespace, key.slice(slash < 0 ? prefixLength : slash + 1), encode(value, modRevision))
  }
}

/** Loads the caches of `kinds` (storage kinds) and keeps them current. `onError`: the store's watch broke. */
export async function createCacheFeed(
  store: Store,
  kinds: readonly Kind[],
  onError: (error: Error) => void,
): Promise<CacheFeed> {
  const caches = new Map<string, WatchCache>()
  /** Events of resources that are being loaded. */
  const loading = new Map<string, StoreEvent[]>()
  const waiting = new Map<() => void, number>()
  let revision = store.revision()

  function onEvents(events: readonly StoreEvent[]) {
    for (const event of events) {
      revision = event.revision
      const split = splitKey(event.key)
      if (!split) continue
      const cache = caches.get(split.resource)
      if (cache) cache.apply(toCacheEvent(event, split.at, cache))
      else loading.get(split.resource)?.push(event)
    }
    for (const [resolve, wanted] of waiting) {
      if (wanted > revision) continue
      waiting.delete(resolve)
      resolve()
    }
  }

  async function add(kind: Kind) {
    const resource = resourceOf(kind)
    if (caches.has(resource) || loading.has(resource)) return
    const missed: StoreEvent[] = []
    loading.set(resource, missed)
    const prefix = storeKey(resource, '', '')
    const snapshot = await store.range({ prefix })
    const cache = createWatchCache(kind, snapshot.revision)
    loadInto(cache, snapshot.items, prefix.length)
    loading.delete(resource)
    caches.set(resource, cache)
    for (const event of missed) {
      if (event.revision > snapshot.revision) cache.apply(toCacheEvent(event, prefix.length, cache))
    }
  }

  const end = await store.watch({ prefix: ROOT, after: revision, onEvents, onError })
  await Promise.all(kinds.map(add))

  return {
    revision: () => revision,
    cache: resource => caches.get(resource),
    add,
    remove(resource) {
      caches.get(resource)?.close()
      caches.delete(resource)
    },
    reached: wanted => (wanted <= revision ? Promise.resolve() : new Promise(resolve => waiting.set(resolve, wanted))),
    close() {
      end()
      for (const cache of caches.values()) cache.close()
    },
  }
}
