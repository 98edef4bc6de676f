/** What the gateway must know of services; whoever carries their traffic on this node knows it (`network/`). */
import type { Service } from '../../api/kinds/core/service.ts'

/** Where requests go. */
export interface Address {
  /** An address, or, of a service that only names another host, that name. */
  readonly host: string
  readonly port: number
}

export type ServicePort = NonNullable<NonNullable<Service['spec']>['ports']>[number]

export interface ServiceSource {
  /** By `namespace/name`. */
  service(key: string): Service | undefined
  /** Endpoints that new connections to a port may go to now: ready ones, else those that still serve while they end. */
  endpoints(service: Service, port: ServicePort): readonly Address[]
  /** Calls `changed` with the key of every service that changes, or whose endpoints do; returns what ends it. */
  follow(changed: (key: string) => void): () => void
}

/** The port of a service that is meant by a number or a name. */
export const portOf = ({ spec }: Service, wanted: number | string): ServicePort | undefined =>
  spec?.ports?.find(({ name, port }) => (typeof wanted === 'number' ? port === wanted : name === wanted))
