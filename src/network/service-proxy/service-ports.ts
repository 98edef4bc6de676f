/**
 * What a service means for traffic, as data: from a Service and its EndpointSlices to the ports at which it answers
 * and where they lead. Pure; both proxies and the tests stand on it.
 */
import type { Service } from '../../api/generated/types/core-v1.ts'
import type { Endpoint, EndpointSlice } from '../../api/generated/types/discovery-v1.ts'
import { parseIpv4 } from '../../lib/ipv4.ts'

export type TransportProtocol = 'tcp' | 'udp' | 'sctp'

/** Where clients knock. Without an address: at every address of the machine (a node port). */
export interface Frontend {
  readonly kind: 'cluster' | 'node' | 'load-balancer' | 'external'
  readonly address?: string
  readonly port: number
}

/** Where a connection goes. */
export interface Backend {
  readonly address: string
  readonly port: number
}

export interface ServicePort {
  /** `namespace/name:port`, with the port's name or its number. */
  readonly id: string
  readonly protocol: TransportProtocol
  readonly frontends: readonly Frontend[]
  /** Sorted, without duplicates. Empty: connections are refused. */
  readonly backends: readonly Backend[]
  /** Seconds for which a client stays with its backend; undefined: every connection is drawn anew. */
  readonly affinitySeconds?: number
}

const compare = (a: Backend, b: Backend) => (a.address === b.address ? a.port - b.port : a.address < b.address ? -1 : 1)

/** Ready ones; where none is ready, those that still serve while they end (KEP-1669). */
function usable(endpoints: readonly { endpoint: Endpoint; port: number }[]): Backend[] {
  const pick = (wanted: (endpoint: Endpoint) => boolean) => {
    const found = new Map<string, Backend>()
    for (const { endpoint, port } of endpoints) {
      const address = endpoint.addresses[0]
      if (address && wanted(endpoint) && parseIpv4(address) !== undefined)
        found.set(`${address}:${port}`, { address, port })
    }
    return [...found.values()].sort(compare)
  }
  const ready = pick(({ conditions }) => conditions?.ready !== false)
  return ready.length ? ready : pick(({ conditions }) => Boolean(conditions?.serving && conditions.terminating))
}

/** Whether the service has an address of its own: not headless and not an ExternalName. */
export function hasClusterIp({ spec }: Service): boolean {
  return spec?.type !== 'ExternalName' && Boolean(spec?.clusterIP) && spec?.clusterIP !== 'None'
}

function frontendsOf(service: Service, port: NonNullable<NonNullable<Service['spec']>['ports']>[number]): Frontend[] {
  const { spec, status } = service
  const protocol = port.protocol ?? 'TCP'
  const frontends: Frontend[] = []
  for (const address of spec?.clusterIPs ?? [spec?.clusterIP ?? ''])
    if (parseIpv4(address) !== undefined) frontends.push({ kind: 'cluster', address, port: port.port })
  for (const address of spec?.externalIPs ?? [])
    if (parseIpv4(address) !== undefined) frontends.push({ kind: 'external', address, port: port.port })
  for (const ingress of (spec?.type === 'LoadBalancer' && status?.loadBalancer?.ingress) || []) {
    const state = ingress.ports?.find(each => each.port === port.port && each.protocol === protocol)
    if (ingress.ip && parseIpv4(ingress.ip) !== undefined && !state?.error)
      frontends.push({ kind: 'load-balancer', address: ingress.ip, port: port.port })
  }
  if (port.nodePort && spec?.type !== 'ClusterIP') frontends.push({ kind: 'node', port: port.nodePort })
  return frontends
}

/** The ports of a service. Empty for a headless service and for an ExternalName: they live in DNS only. */
export function servicePorts(service: Service, slices: readonly EndpointSlice[]): ServicePort[] {
  if (!hasClusterIp(service)) return []
  const { spec, metadata } = service
  const affinity =
    spec?.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800) : undefined
  return (spec?.ports ?? []).map(port => {
    const endpoints = slices
      .filter(slice => slice.addressType === 'IPv4')
      .flatMap(slice =>
        (slice.ports ?? [])
          .filter(
            each => (each.name ?? '') === (port.name ?? '') && (each.protocol ?? 'TCP') === (port.protocol ?? 'TCP'),
          )
          .flatMap(each => (slice.endpoints ?? []).map(endpoint => ({ endpoint, port: each.port ?? 0 }))),
      )
    return {
      id: `${metadata?.namespace}/${metadata?.name}:${port.name || port.port}`,
      protocol: (port.protocol ?? 'TCP').toLowerCase() as TransportProtocol,
      frontends: frontendsOf(service, port),
      backends: usable(endpoints),
      ...(affinity !== undefined && { affinitySeconds: affinity }),
    }
  })
}
