/**
 * Single objects by name, each by a watch of it alone: for who may see, or wants to see, no more of a kind. A watch
 * lasts as long as somebody holds it.
 */
import type { KubeObject } from '../api/machinery/object.ts'
import type { Client } from './client.ts'
import { createInformer, type InformerDeps } from './informer.ts'
import { type Informer, objectKey } from './informer-types.ts'
import type { Resource } from './resource.ts'

/** An object that is held, there or not. */
export interface WatchedObject<T extends KubeObject> {
  /** What is known of it now; undefined where it does not exist. */
  current(): T | undefined
  /** Resolves when that is known. */
  synced(): Promise<void>
  release(): void
}

export interface WatchedObjects {
  /** Holds an object; `changed` is called when it is seen first and after each change. */
  hold<T extends KubeObject>(
    resource: Resource<T>,
    namespace: string,
    name: string,
    changed: () => void,
  ): WatchedObject<T>
}

interface Watch {
  readonly informer: Informer<KubeObject>
  readonly abort: AbortController
  readonly listeners: Set<() => void>
}

/** Makes it; `signal` ends all watches. */
export function createWatchedObjects(client: Client, deps: InformerDeps, signal: AbortSignal): WatchedObjects {
  const watches = new Map<string, Watch>()

  function begin(resource: Resource, namespace: string, name: string): Watch {
    const abort = new AbortController()
    const selection = { namespace, fieldSelector: `metadata.name=${name}` }
    const ended = AbortSignal.any([signal, abort.signal])
    const informer = createInformer<KubeObject>(client, resource, selection, deps, ended)
    const listeners = new Set<() => void>()
    informer.onChange(() => {
      for (const listener of [...listeners]) listener()
    })
    return { informer, abort, listeners }
  }

  return {
    hold<T extends KubeObject>(resource: Resource<T>, namespace: string, name: string, changed: () => void) {
      const key = objectKey(namespace, name)
      const id = `${resource.key} ${key}`
      let watch = watches.get(id)
      if (!watch) watches.set(id, (watch = begin(resource as Resource, namespace, name)))
      const { informer, abort, listeners } = watch
      // One function per holder: two may pass the same.
      const listener = () => changed()
      listeners.add(listener)
      return {
        current: () => informer.get(key) as T | undefined,
        synced: () => informer.synced(),
        release() {
          listeners.delete(listener)
          if (listeners.size > 0) return
          abort.abort()
          if (watches.get(id)?.listeners === listeners) watches.delete(id)
        },
      }
    },
  }
}
