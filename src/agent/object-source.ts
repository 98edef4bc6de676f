/**
 * The ConfigMaps and Secrets that this node's pods refer to, each by a watch of that one object: all that the node
 * authorizer allows. A watch lasts as long as some pod holds it.
 */
import type { ConfigMap, Secret } from '../api/generated/types/core-v1.ts'
import type { KubeObject } from '../api/machinery/object.ts'
import type { Client } from '../client/client.ts'
import { createInformer } from '../client/informer.ts'
import { type Informer, objectKey } from '../client/informer-types.ts'
import type { Resource } from '../client/resource.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/log.ts'
import { configMaps, secrets } from './resources.ts'

/** Names of objects in the pod's namespace. */
export interface References {
  readonly configMaps: readonly string[]
  readonly secrets: readonly string[]
}

/** Reads for one pod; synchronous, from what is watched. */
export interface HeldObjects {
  configMap(name: string): ConfigMap | undefined
  secret(name: string): Secret | undefined
  /** Resolves when every first list is there. */
  synced(): Promise<void>
  release(): void
}

export interface ObjectSource {
  /** Watches the objects for a pod; `changed` is called after each change of one of them. */
  hold(namespace: string, references: References, changed: () => void): HeldObjects
}

interface Held {
  readonly informer: Informer<KubeObject>
  readonly abort: AbortController
  readonly listeners: Set<() => void>
}

/** Makes the source; `signal` ends all watches. */
export function createObjectSource(
  client: Client,
  deps: { readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): ObjectSource {
  const held = new Map<string, Held>()

  const acquire = (resource: Resource, namespace: string, name: string, changed: () => void): [string, Held] => {
    const id = `${resource.plural}/${objectKey(namespace, name)}`
    let entry = held.get(id)
    if (!entry) {
      const abort = new AbortController()
      const selection = { namespace, fieldSelector: `metadata.name=${name}` }
      const ended = AbortSignal.any([signal, abort.signal])
      const informer = createInformer<KubeObject>(client, resource, selection, deps, ended)
      const listeners = new Set<() => void>()
      informer.onChange(() => {
        for (const listener of [...listeners]) listener()
      })
      entry = { informer, abort, listeners }
      held.set(id, entry)
    }
    entry.listeners.add(changed)
    return [id, entry]
  }

  return {
    hold(namespace, references, onChange) {
      // One function per holder: two pods may pass the same.
      const changed = () => onChange()
      const entries = new Map([
        ...references.configMaps.map(name => acquire(configMaps, namespace, name, changed)),
        ...references.secrets.map(name => acquire(secrets, namespace, name, changed)),
      ])
      const find = (plural: string, name: string) =>
        entries.get(`${plural}/${objectKey(namespace, name)}`)?.informer.get(objectKey(namespace, name))
      return {
        configMap: name => find('configmaps', name) as ConfigMap | undefined,
        secret: name => find('secrets', name) as Secret | undefined,
        synced: async () => {
          await Promise.all([...entries.values()].map(entry => entry.informer.synced()))
        },
        release() {
          for (const [id, entry] of entries) {
            entry.listeners.delete(changed)
            if (entry.listeners.size > 0) continue
            entry.abort.abort()
            if (held.get(id) === entry) held.delete(id)
          }
          entries.clear()
        },
      }
    },
  }
}
