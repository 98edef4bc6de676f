/**
 * The services of the cluster with their endpoint slices, indexed for the proxy and for DNS, kept current by two
 * informers. Whoever needs to follow them says so with `follow`.
 */
import type { Service } from '../api/generated/types/core-v1.ts'
import type { EndpointSlice } from '../api/generated/types/discovery-v1.ts'
import { SERVICE_NAME } from '../api/kinds/discovery/service-name.ts'
import { type Informer, keyOf, type ObjectKey } from '../client/informer-types.ts'

export interface Catalog {
  service(key: ObjectKey): Service | undefined
  services(namespace?: string): readonly Service[]
  slices(key: ObjectKey): readonly EndpointSlice[]
  /** The service that owns a cluster IP. */
  byClusterIp(address: string): Service | undefined
  /** Keys of services of which a slice holds the address. */
  byEndpoint(address: string): readonly ObjectKey[]
  hasNamespace(namespace: string): boolean
  /**
   * Calls `changed` with the key of every service that is there, and of every one that changes or whose slices do;
   * returns what ends it.
   */
  follow(changed: (key: ObjectKey) => void): () => void
  /** Resolves when both caches are filled. */
  synced(): Promise<void>
}

/** Adds to and takes from a map of sets. */
function multimap<V>() {
  const sets = new Map<string, Set<V>>()
  return {
    get: (key: string): ReadonlySet<V> | undefined => sets.get(key),
    add(key: string, value: V) {
      const set = sets.get(key)
      if (set) set.add(value)
      else sets.set(key, new Set([value]))
    },
    remove(key: string, value: V) {
      const set = sets.get(key)
      if (set?.delete(value) && set.size === 0) sets.delete(key)
    },
  }
}

const serviceOf = (slice: EndpointSlice): ObjectKey | undefined => {
  const name = slice.metadata?.labels?.[SERVICE_NAME]
  return name && `${slice.metadata?.namespace}/${name}`
}

/** Makes the catalog; it follows its informers until `signal` aborts. */
export function createCatalog(
  sources: { readonly services: Informer<Service>; readonly endpointSlices: Informer<EndpointSlice> },
  signal: AbortSignal,
): Catalog {
  const slices = new Map<ObjectKey, Map<string, EndpointSlice>>()
  const clusterIps = new Map<string, Service>()
  const endpoints = multimap<ObjectKey>()
  const namespaces = multimap<ObjectKey>()
  const followers = new Set<(key: ObjectKey) => void>()
  const changed = (key: ObjectKey) => {
    for (const follower of followers) follower(key)
  }

  function indexSlice(slice: EndpointSlice | undefined, add: boolean): ObjectKey | undefined {
    const key = slice && serviceOf(slice)
    if (!slice || !key) return undefined
    const name = slice.metadata?.name ?? ''
    if (add) slices.set(key, (slices.get(key) ?? new Map()).set(name, slice))
    else if (slices.get(key)?.delete(name) && slices.get(key)?.size === 0) slices.delete(key)
    return key
  }

  /** An address is indexed while any slice of the service holds it. */
  function indexAddresses(key: ObjectKey, before: EndpointSlice | undefined) {
    for (const endpoint of before?.endpoints ?? [])
      for (const address of endpoint.addresses) endpoints.remove(address, key)
    for (const slice of slices.get(key)?.values() ?? [])
      for (const endpoint of slice.endpoints ?? [])
        for (const address of endpoint.addresses) endpoints.add(address, key)
  }

  const endServices = sources.services.onChange(({ previous, current }) => {
    for (const address of previous?.spec?.clusterIPs ?? []) clusterIps.delete(address)
    if (previous) namespaces.remove(previous.metadata?.namespace ?? '', keyOf(previous))
    for (const address of current?.spec?.clusterIPs ?? []) if (address !== 'None') clusterIps.set(address, current!)
    if (current) namespaces.add(current.metadata?.namespace ?? '', keyOf(current))
    changed(keyOf((current ?? previous)!))
  })
  const endSlices = sources.endpointSlices.onChange(({ previous, current }) => {
    const before = indexSlice(previous, false)
    const now = indexSlice(current, true)
    for (const key of new Set([before, now])) {
      if (!key) continue
      indexAddresses(key, key === before ? previous : undefined)
      changed(key)
    }
  })
  signal.addEventListener('abort', () => {
    endServices()
    endSlices()
  })

  return {
    service: key => sources.services.get(key),
    services: namespace => sources.services.list(namespace),
    slices: key => [...(slices.get(key)?.values() ?? [])],
    byClusterIp: address => clusterIps.get(address),
    byEndpoint: address => [...(endpoints.get(address) ?? [])],
    hasNamespace: namespace => namespaces.get(namespace) !== undefined,
    follow(follower) {
      followers.add(follower)
      for (const service of sources.services.list()) follower(keyOf(service))
      return () => followers.delete(follower)
    },
    async synced() {
      await Promise.all([sources.services.synced(), sources.endpointSlices.synced()])
    },
  }
}
