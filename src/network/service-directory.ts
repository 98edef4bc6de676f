/** Services and where they lead from this node, for a program of the node that dials endpoints itself. */
import type { Service } from '../api/generated/types/core-v1.ts'
import { keyOf, type ObjectKey } from '../client/informer-types.ts'
import type { Catalog } from './catalog.ts'
import type { Place } from './service-proxy/endpoints.ts'
import { portBackends } from './service-proxy/service-ports.ts'

export interface ServiceDirectory {
  service(key: ObjectKey): Service | undefined
  /** Endpoints that new connections to a port may go to now: ready ones, else those that still serve while they end. */
  endpoints(
    service: Service,
    port: NonNullable<NonNullable<Service['spec']>['ports']>[number],
  ): readonly { readonly host: string; readonly port: number }[]
  /** Calls `changed` with the key of every service that changes, or whose endpoints do; returns what ends it. */
  follow(changed: (key: ObjectKey) => void): () => void
}

/** Reads it from the catalog. */
export const serviceDirectory = (catalog: Catalog, place: () => Place): ServiceDirectory => ({
  service: catalog.service,
  endpoints: (service, port) =>
    portBackends(service, port, catalog.slices(keyOf(service)), place()).map(({ address, port }) => ({
      host: address,
      port,
    })),
  follow: catalog.follow,
})
