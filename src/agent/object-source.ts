/**
 * The ConfigMaps and Secrets that this node's pods refer to, each by a watch of that one object: all that the node
 * authorizer allows. A watch lasts as long as some pod holds it.
 */
import type { ConfigMap, Secret } from '../api/generated/types/core-v1.ts'
import type { Client } from '../client/client.ts'
import { createWatchedObjects, type WatchedObject } from '../client/watched-objects.ts'
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

/** Makes the source; `signal` ends all watches. */
export function createObjectSource(
  client: Client,
  deps: { readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): ObjectSource {
  const watched = createWatchedObjects(client, deps, signal)
  return {
    hold(namespace, references, changed) {
      const held = {
        configMaps: new Map<string, WatchedObject<ConfigMap>>(),
        secrets: new Map<string, WatchedObject<Secret>>(),
      }
      for (const name of new Set(references.configMaps))
        held.configMaps.set(name, watched.hold<ConfigMap>(configMaps, namespace, name, changed))
      for (const name of new Set(references.secrets))
        held.secrets.set(name, watched.hold<Secret>(secrets, namespace, name, changed))
      const all = () => [...held.configMaps.values(), ...held.secrets.values()]
      return {
        configMap: name => held.configMaps.get(name)?.current(),
        secret: name => held.secrets.get(name)?.current(),
        synced: async () => {
          await Promise.all(all().map(each => each.synced()))
        },
        release() {
          for (const each of all()) each.release()
          held.configMaps.clear()
          held.secrets.clear()
        },
      }
    },
  }
}
