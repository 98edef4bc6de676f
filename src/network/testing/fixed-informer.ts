/** An informer over objects that the test sets itself: for what only reads a cache, where no API server is needed. */
import type { KubeObject } from '../../api/machinery/object.ts'
import { type ChangeHandler, type Informer, keyOf } from '../../client/informer-types.ts'

export interface FixedInformer<T extends KubeObject> extends Informer<T> {
  /** Adds or replaces an object and tells the handlers. */
  put(object: T): void
  remove(key: string): void
}

/** Makes one with these objects. */
export function fixedInformer<T extends KubeObject>(initial: readonly T[] = []): FixedInformer<T> {
  const objects = new Map<string, T>()
  const handlers = new Set<ChangeHandler<T>>()
  const set = (key: string, current: T | undefined) => {
    const previous = objects.get(key)
    if (current) objects.set(key, current)
    else objects.delete(key)
    for (const handler of handlers) handler({ previous, current })
  }
  const informer: FixedInformer<T> = {
    put: object => set(keyOf(object), object),
    remove: key => set(key, undefined),
    get: key => objects.get(key),
    list: namespace => [...objects.values()].filter(each => !namespace || each.metadata?.namespace === namespace),
    byIndex: () => [],
    revision: () => 0,
    onChange(handler) {
      for (const current of objects.values()) handler({ previous: undefined, current })
      handlers.add(handler)
      return () => handlers.delete(handler)
    },
    synced: async () => {},
    reached: async () => {},
  }
  for (const object of initial) informer.put(object)
  return informer
}
