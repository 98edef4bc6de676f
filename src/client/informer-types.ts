/**
 * What a component sees of a kind: a cache kept current by a watch. In one process the cached objects are the API
 * server's own, shared and read-only; nothing is decoded twice.
 */
import type { KubeObject } from '../api/machinery/object.ts'

/** `namespace/name`, or `name` for cluster-scoped objects. */
export type ObjectKey = string

export const objectKey = (namespace: string | undefined, name: string): ObjectKey =>
  namespace ? `${namespace}/${name}` : name

/** The key of an object. */
export const keyOf = (object: KubeObject): ObjectKey =>
  objectKey(object.metadata?.namespace, object.metadata?.name ?? '')

/** Reads of the cache. All are synchronous and free of copies. */
export interface Lister<T extends KubeObject> {
  get(key: ObjectKey): T | undefined
  /** Everything, or one namespace. */
  list(namespace?: string): readonly T[]
  /** Objects for which the named index gave `value`. Every informer has `owner` (uid of the controller owner). */
  byIndex(index: string, value: string): readonly T[]
  /** resourceVersion up to which the cache is current. */
  revision(): number
}

/** Called in the order of revisions. On start every object comes once with `previous` undefined. */
export type ChangeHandler<T extends KubeObject> = (change: {
  readonly previous: T | undefined
  readonly current: T | undefined
}) => void

export interface Informer<T extends KubeObject> extends Lister<T> {
  /** Calls `handler` for what is there and for every change; returns a function that ends it. */
  onChange(handler: ChangeHandler<T>): () => void
  /** Resolves when the first list is in the cache. */
  synced(): Promise<void>
  /** Resolves when `revision()` is at least `revision`. */
  reached(revision: number): Promise<void>
}

export interface InformerOptions<T extends KubeObject> {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly indexes?: Readonly<Record<string, (object: T) => readonly string[]>>
}
