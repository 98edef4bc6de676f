/** Shared informers: one per kind and selection for everything that runs under one identity. */
import type { KubeObject } from '../api/machinery/object.ts'
import { type Client, createClient } from './client.ts'
import { createInformer, type GrowingInformer, type InformerDeps } from './informer.ts'
import type { InformerOptions } from './informer-types.ts'
import type { Resource } from './resource.ts'
import type { Transport } from './transport.ts'

export interface Informers {
  /**
   * The informer of a kind and selection, started when first asked for. Indexes are added to the one that runs; two
   * callers that give one name must mean the same function.
   */
  of<T extends KubeObject>(resource: Resource<T>, options?: InformerOptions<T>): GrowingInformer<T>
  /**
   * Ends all informers of a kind that is not served any more; asked for again, it gets new ones. With `gone`, handlers
   * are told that its objects are deleted.
   */
  drop(resource: Resource, gone: boolean): void
  /** Resolves when every informer that was asked for has its first list. */
  synced(): Promise<void>
}

/** Makes the factory; its informers run until `signal` aborts. */
export function createInformers(source: Client | Transport, deps: InformerDeps, signal: AbortSignal): Informers {
  const client = typeof source === 'function' ? createClient(source) : source
  const running = new Map<string, GrowingInformer<KubeObject>>()
  /** What ends the informers of a kind. */
  const scopes = new Map<string, AbortController>()
  function scopeOf(key: string): AbortSignal {
    let scope = scopes.get(key)
    if (!scope) scopes.set(key, (scope = new AbortController()))
    return AbortSignal.any([signal, scope.signal])
  }
  return {
    of<T extends KubeObject>(resource: Resource<T>, options: InformerOptions<T> = {}) {
      const { namespace = '', labelSelector = '', fieldSelector = '', indexes = {} } = options
      const id = JSON.stringify([resource.key, namespace, labelSelector, fieldSelector])
      let informer = running.get(id)
      if (!informer) {
        informer = createInformer(
          client,
          resource,
          options,
          deps,
          scopeOf(resource.key),
        ) as unknown as GrowingInformer<KubeObject>
        running.set(id, informer)
      } else {
        for (const [name, index] of Object.entries(indexes))
          informer.addIndex(name, index as (o: KubeObject) => string[])
      }
      return informer as unknown as GrowingInformer<T>
    },
    drop({ key }, gone) {
      scopes.get(key)?.abort()
      scopes.delete(key)
      for (const [id, informer] of running) {
        if (JSON.parse(id)[0] !== key) continue
        running.delete(id)
        if (gone) informer.clear()
      }
    },
    async synced() {
      await Promise.all([...running.values()].map(informer => informer.synced()))
    },
  }
}
