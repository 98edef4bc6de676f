/** Objects of one kind in memory, with indexes that are kept by delta. What an informer reads from. */
import type { KubeObject } from '../api/machinery/object.ts'
import type { ObjectKey } from './informer-types.ts'

type Indexer<T> = (object: T) => readonly string[]

/** Objects of one index value, and their array while nothing has changed. */
interface Bucket<T> {
  readonly objects: Map<ObjectKey, T>
  array: readonly T[] | undefined
}

export interface ObjectCache<T extends KubeObject> {
  get(key: ObjectKey): T | undefined
  list(namespace?: string): readonly T[]
  /** Throws for an index that was not declared. */
  byIndex(index: string, value: string): readonly T[]
  /** Puts (or with undefined removes) and returns what stood there. */
  set(key: ObjectKey, object: T | undefined): T | undefined
  keys(): IterableIterator<ObjectKey>
  /** Adds an index over what is there. Throws when another function has that name. */
  addIndex(name: string, values: Indexer<T>): void
}

const EMPTY: readonly never[] = []

/** uid of the owner that controls an object. */
export const controllerUid = (object: KubeObject): readonly string[] => {
  const owner = object.metadata?.ownerReferences?.find(each => each.controller)
  return owner ? [owner.uid] : EMPTY
}

const namespaceOf = (object: KubeObject): readonly string[] => [object.metadata?.namespace ?? '']

/** Makes an empty cache with these indexes besides `owner` and `namespace`. */
export function createObjectCache<T extends KubeObject>(
  indexes: Readonly<Record<string, Indexer<T>>> = {},
): ObjectCache<T> {
  const all: Bucket<T> = { objects: new Map(), array: undefined }
  const byName = new Map<string, { values: Indexer<T>; buckets: Map<string, Bucket<T>> }>()

  function index(key: ObjectKey, previous: T | undefined, next: T | undefined) {
    for (const { values, buckets } of byName.values()) {
      if (previous) for (const value of values(previous)) remove(buckets, value, key)
      if (next) for (const value of values(next)) insert(buckets, value, key, next)
    }
  }
  function addIndex(name: string, values: Indexer<T>) {
    const known = byName.get(name)
    if (known && String(known.values) !== String(values))
      throw new Error(`index ${name} is there with another function`)
    if (known) return
    const buckets = new Map<string, Bucket<T>>()
    byName.set(name, { values, buckets })
    for (const [key, object] of all.objects) for (const value of values(object)) insert(buckets, value, key, object)
  }
  addIndex('owner', controllerUid)
  addIndex('namespace', namespaceOf)
  for (const [name, values] of Object.entries(indexes)) addIndex(name, values)
  const arrayOf = (bucket: Bucket<T> | undefined): readonly T[] =>
    bucket ? (bucket.array ??= [...bucket.objects.values()]) : EMPTY

  function byIndex(name: string, value: string): readonly T[] {
    const known = byName.get(name)
    if (!known) throw new Error(`no index ${JSON.stringify(name)}; there are ${[...byName.keys()].join(', ')}`)
    return arrayOf(known.buckets.get(value))
  }

  return {
    get: key => all.objects.get(key),
    list: namespace => (namespace ? byIndex('namespace', namespace) : arrayOf(all)),
    byIndex,
    set(key, object) {
      const previous = all.objects.get(key)
      if (object) all.objects.set(key, object)
      else all.objects.delete(key)
      all.array = undefined
      index(key, previous, object)
      return previous
    },
    keys: () => all.objects.keys(),
    addIndex,
  }
}

function insert<T>(buckets: Map<string, Bucket<T>>, value: string, key: ObjectKey, object: T) {
  let bucket = buckets.get(value)
  if (!bucket) buckets.set(value, (bucket = { objects: new Map(), array: undefined }))
  bucket.objects.set(key, object)
  bucket.array = undefined
}

function remove<T>(buckets: Map<string, Bucket<T>>, value: string, key: ObjectKey) {
  const bucket = buckets.get(value)
  if (!bucket) return
  bucket.objects.delete(key)
  bucket.array = undefined
  if (bucket.objects.size === 0) buckets.delete(value)
}
