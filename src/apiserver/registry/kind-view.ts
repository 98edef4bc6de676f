/**
 * A kind as clients see it over the cache of its storage kind: most are one and the same; Event and
 * HorizontalPodAutoscaler show the same objects in two shapes.
 */
import { Encoded } from '../../api/machinery/encoded.ts'
import type { Kind } from '../../api/machinery/kind.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import type { CacheFeed } from './cache-feed.ts'
import type { KindTable } from './kind-table.ts'
import type { KindReader } from './registry.ts'
import { resourceOf } from './store-key.ts'
import type { WatchCache } from './watch-cache.ts'

export interface KindView {
  /** The kind under which objects are kept. */
  readonly storage: Kind
  readonly resource: string
  readonly cache: WatchCache
  /** To this kind's shape; made once per object and revision. */
  show(stored: Encoded): Encoded
  /** To the storage kind's shape. */
  store(object: KubeObject): KubeObject
  readonly reader: KindReader
}

function converter(kind: Kind): (stored: Encoded) => Encoded {
  if (!kind.storage) return stored => stored
  const { decode } = kind.storage
  const shown = new WeakMap<Encoded, Encoded>()
  return stored => {
    let result = shown.get(stored)
    if (!result) {
      const object = { ...decode(stored.value), apiVersion: kind.apiVersion, kind: kind.kind }
      result = new Encoded(Buffer.from(JSON.stringify(object)), stored.revision)
      shown.set(stored, result)
    }
    return result
  }
}

function makeView(kind: Kind, storage: Kind, cache: WatchCache): KindView {
  const show = converter(kind)
  const shown = (object: Encoded | undefined) => object && show(object)
  return {
    storage,
    resource: resourceOf(storage),
    cache,
    show,
    store: object =>
      kind.storage ? { ...kind.storage.encode(object), apiVersion: storage.apiVersion, kind: storage.kind } : object,
    reader: {
      get: (namespace, name) => shown(cache.get(namespace, name)),
      list: (namespace = '') => {
        const { items } = cache.list({ namespace })!
        return kind.storage ? items.map(show) : items
      },
      onChange: handler => cache.onChange(event => handler(shown(event.previous), shown(event.current))),
    },
  }
}

/** Finds and remembers the views of kinds. */
export function kindViews(kinds: KindTable, feed: CacheFeed): (kind: Kind) => KindView {
  const views = new WeakMap<Kind, KindView>()
  return kind => {
    const known = views.get(kind)
    const storage = kind.storage ? kinds.get(kind.storage.kind) : kind
    if (!storage) throw new Error(`kind ${kind.key} is kept as ${kind.storage?.kind}, which is not served`)
    const cache = feed.cache(resourceOf(storage))
    if (!cache) throw new Error(`kind ${kind.key} has no cache: it is virtual, or was not added`)
    if (known?.cache === cache) return known
    const view = makeView(kind, storage, cache)
    views.set(kind, view)
    return view
  }
}
