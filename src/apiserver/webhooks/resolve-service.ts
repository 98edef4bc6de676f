/** From a service to an address that answers for it, straight to an endpoint: no service proxy is needed. */
import type { KubeObject } from '../../api/machinery/object.ts'
import type { KindReader } from '../registry/registry.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

/** An address of a service's port. Throws an Error whose sentence says what is missing. */
export type ServiceResolver = (namespace: string, name: string, port: number) => Address

export interface ServiceResolverDeps {
  /** Reads v1 services. */
  readonly services: KindReader
  /** Reads discovery.k8s.io/v1 endpointslices. */
  readonly slices: KindReader
  /** Numbers in [0, 1), to choose an endpoint. */
  random(): number
}

interface Service extends KubeObject {
  spec?: { type?: string; externalName?: string; ports?: { name?: string; port: number }[] }
}

interface EndpointSlice extends KubeObject {
  ports?: { name?: string; port?: number }[]
  endpoints?: { addresses: string[]; conditions?: { ready?: boolean } }[]
}

const SERVICE_LABEL = 'kubernetes.io/service-name'

/** Makes a resolver over the API's own objects. */
export function serviceResolver({ services, slices, random }: ServiceResolverDeps): ServiceResolver {
  const addressesOf = (namespace: string, service: string, portName: string): Address[] => {
    const found: Address[] = []
    for (const { value } of slices.list(namespace)) {
      if (value.metadata?.labels?.[SERVICE_LABEL] !== service) continue
      const { ports, endpoints } = value as EndpointSlice
      const port = ports?.find(each => (each.name ?? '') === portName)?.port
      if (port === undefined) continue
      for (const { addresses, conditions } of endpoints ?? [])
        if (conditions?.ready !== false && addresses[0]) found.push({ host: addresses[0], port })
    }
    return found
  }

  return (namespace, name, port) => {
    const quoted = JSON.stringify(name)
    const spec = (services.get(namespace, name)?.value as Service | undefined)?.spec
    if (!spec) throw new Error(`service ${quoted} not found`)
    if (spec.type === 'ExternalName') return { host: spec.externalName ?? '', port }
    const known = spec.ports?.find(each => each.port === port)
    if (!known) throw new Error(`no service port ${port} found for service ${quoted}`)
    const addresses = addressesOf(namespace, name, known.name ?? '')
    const chosen = addresses[Math.floor(random() * addresses.length)]
    if (!chosen) throw new Error(`no endpoints available for service ${quoted}`)
    return chosen
  }
}
