/**
 * From a service and one of its ports to an address that answers: what the API server itself dials for aggregated
 * servers, webhooks and the proxy. It goes to an endpoint, not through the service's own address, so it works wherever
 * pods can be reached.
 */
import type { Service } from '../../api/generated/types/core-v1.ts'
import type { EndpointSlice } from '../../api/generated/types/discovery-v1.ts'
import { SERVICE_NAME } from '../../api/kinds/discovery/service-name.ts'
import { notFound, serviceUnavailable } from '../../api/machinery/status-error.ts'
import type { KindReader } from '../registry/registry.ts'

/** Kubernetes' resolver names it so in its errors. */
const SERVICE = { group: '', plural: 'service' }

export interface ServiceAddress {
  /** An address, or a name to look up for services that only name another host. */
  readonly host: string
  readonly port: number
  /** The pod behind it, where the slice says so. */
  readonly pod?: { readonly namespace: string; readonly name: string }
}

export interface ServiceReaders {
  readonly services: KindReader
  readonly endpointSlices: KindReader
  /** From 0 to under 1. */
  readonly random: () => number
}

/** The slices of a service, those of its first address family first. */
export function slicesOf({ services, endpointSlices }: ServiceReaders, namespace: string, name: string) {
  const found = endpointSlices
    .list(namespace)
    .map(each => each.value as EndpointSlice)
    .filter(({ metadata }) => metadata?.labels?.[SERVICE_NAME] === name)
  const service = services.get(namespace, name)?.value as Service | undefined
  const family = service?.spec?.ipFamilies?.[0]
  return found.sort((a, b) => Number(b.addressType === family) - Number(a.addressType === family))
}

/** The port of a service with this number. Throws ServiceUnavailable where there is none. */
export function servicePort(service: Service, port: number) {
  const found = service.spec?.ports?.find(each => each.port === port)
  if (found) return found
  throw serviceUnavailable(`no service port ${port} found for service ${JSON.stringify(service.metadata?.name)}`)
}

/** A ready endpoint behind the port of that name, by chance; undefined where there is none. */
export function readyEndpoint(
  slices: readonly EndpointSlice[],
  portName: string,
  random: () => number,
  accepts: (address: ServiceAddress) => boolean = () => true,
): ServiceAddress | undefined {
  for (const { ports, endpoints } of slices) {
    const port = ports?.find(each => (each.name ?? '') === portName && each.port !== undefined)?.port
    if (port === undefined || !endpoints?.length) continue
    const first = Math.floor(random() * endpoints.length)
    for (let at = 0; at < endpoints.length; at++) {
      const { addresses, conditions, targetRef } = endpoints[(first + at) % endpoints.length]!
      const host = addresses?.[0]
      if (!host || conditions?.ready === false) continue
      const isPod = targetRef?.kind === 'Pod' && targetRef.name
      const address: ServiceAddress = {
        host,
        port,
        ...(isPod && { pod: { namespace: targetRef.namespace ?? '', name: targetRef.name! } }),
      }
      if (accepts(address)) return address
    }
  }
  return undefined
}

/**
 * Where to find a service's port. Throws StatusError: NotFound for a service that is not there, ServiceUnavailable
 * where it has no such port or no endpoint that is ready.
 */
export type ServiceResolver = (namespace: string, name: string, port: number) => ServiceAddress

/** A resolver over the API's own objects. */
export const serviceResolver =
  (readers: ServiceReaders): ServiceResolver =>
  (namespace, name, port) => {
    const service = readers.services.get(namespace, name)?.value as Service | undefined
    if (!service) throw notFound(SERVICE, name)
    const { type, externalName } = service.spec ?? {}
    if (type === 'ExternalName') return { host: externalName ?? '', port }
    const { name: portName = '' } = servicePort(service, port)
    const found = readyEndpoint(slicesOf(readers, namespace, name), portName, readers.random)
    if (found) return found
    throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`)
  }
