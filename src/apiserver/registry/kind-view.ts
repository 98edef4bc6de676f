/**
 * A kind as clients see it over the cache of its storage kind: most are one and the same; Event and
 * HorizontalPodAutoscaler show the same objects in two shapes, and custom kinds in as many versions as they have.
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
  /** `show` may give other objects than it is asked about. */
  readonly converts: boolean
  /** To this kind's shape; made once per object and revision. */
  show(stored: Encoded): Encoded
  /** Must be awaited before `show` is asked about these objects: someone else converts them. Most kinds have none. */
  readonly convert?: (stored: readonly Encoded[]) => Promise<void>
  /** To the storage kind's shape. */
  store(object: KubeObject): KubeObject | Promise<KubeObject>
  /** The stored bytes are what would be stored now. */
  isCurrent(stored: Encoded): boolean
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

const always = () => true

/** How the objects of a kind are turned into those of its storage kind, and back. */
function shapesOf(kind: Kind, storage: Kind): Pick<KindView, 'show' | 'store' | 'convert' | 'isCurrent'> {
  if (kind.custom) return kind.custom.conversion
  return {
    show: converter(kind),
    store: object =>
      kind.storage ? { ...kind.storage.encode(object), apiVersion: storage.apiVersion, kind: storage.kind } : object,
    isCurrent: always,
  }
}

function makeView(kind: Kind, storage: Kind, cache: WatchCache): KindView {
  const shapes = shapesOf(kind, storage)
  const { show } = shapes
  const converts = kind.storage !== undefined || kind.custom !== undefined
  const shown = (object: Encoded | undefined) => object && show(object)
  return {
    ...shapes,
    storage,
    resource: resourceOf(storage),
    cache,
    converts,
    reader: {
      get: (namespace, name) => shown(cache.get(namespace, name)),
      list: (namespace = '') => {
        const { items } = cache.list({ namespace })!
        return converts ? items.map(show) : items
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
