/**
 * What a service means for traffic on one node, as data: from a Service and its EndpointSlices to the ports at which it
 * answers and where they lead. Pure; both proxies and the tests stand on it. One family of addresses at a time: a
 * dual-stack service is asked for twice.
 */
import type { Service } from '../../api/generated/types/core-v1.ts'
import type { EndpointSlice } from '../../api/generated/types/discovery-v1.ts'
import { type Family, familyOf } from '../../lib/ip-range.ts'
import { type Place, reachable, type ServiceEndpoint } from './endpoints.ts'

export type TransportProtocol = 'tcp' | 'udp' | 'sctp'

/** What a frontend leads to. */
export interface Target {
  /** Sorted, without duplicates. */
  readonly backends: readonly Backend[]
  /**
   * What happens without backends: connections are refused, or, where other nodes have some that this one may not use
   * (a policy of Local), not answered, so that whoever balances the load tries another node.
   */
  readonly empty: 'refuse' | 'drop'
}

/** Where clients knock. Without an address: at every address of the machine (a node port). */
export interface Frontend {
  readonly kind: 'cluster' | 'node' | 'load-balancer' | 'external'
  readonly address?: string
  readonly port: number
  /** Where it leads; absent: to the backends of the port. */
  readonly target?: Target
  /** Where it leads clients from outside of the cluster, when that is not the same. */
  readonly outside?: Target
  /** Ranges of clients that may use it; absent: all. */
  readonly sources?: readonly string[]
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

/** The target of a frontend for clients of the cluster and of the node itself. */
export const targetOf = ({ backends }: Pick<ServicePort, 'backends'>, { target }: Frontend): Target =>
  target ?? { backends, empty: 'refuse' }

type Port = NonNullable<NonNullable<Service['spec']>['ports']>[number]

/** Whether the service has an address of its own: not headless and not an ExternalName. */
export function hasClusterIp({ spec }: Service): boolean {
  return spec?.type !== 'ExternalName' && Boolean(spec?.clusterIP) && spec?.clusterIP !== 'None'
}

export const LOOPBACK = '127.0.0.1'

interface Targets {
  readonly cluster: Target
  readonly outside?: Target
}

/** Ranges of a family from which clients may come to a load balancer; none: from everywhere. */
export const sourceRanges = ({ spec }: Service, family: Family | undefined): string[] =>
  (spec?.loadBalancerSourceRanges ?? []).map(range => range.trim()).filter(range => familyOf(range) === family)

function frontendsOf(
  service: Service,
  port: Port,
  family: Family,
  { cluster, outside }: Targets,
  { alsoLoopback }: Place,
): Frontend[] {
  const { spec, status } = service
  const frontends: Frontend[] = []
  const at = (kind: Frontend['kind'], address: string, more: Partial<Frontend> = {}) => {
    if (familyOf(address) === family) frontends.push({ kind, address, port: port.port, ...more })
  }
  const from = outside && { outside }
  for (const address of spec?.clusterIPs ?? [spec?.clusterIP ?? ''])
    at('cluster', address, spec?.internalTrafficPolicy === 'Local' ? { target: cluster } : {})
  for (const address of spec?.externalIPs ?? []) at('external', address, from)
  const sources = sourceRanges(service, family)
  for (const ingress of (spec?.type === 'LoadBalancer' && status?.loadBalancer?.ingress) || []) {
    const state = ingress.ports?.find(
      each => each.port === port.port && each.protocol === (port.protocol ?? 'TCP') && each.error,
    )
    // A balancer that calls itself a proxy wants even the cluster's own traffic to pass through it.
    if (!ingress.ip || ingress.ipMode === 'Proxy' || state) continue
    for (const address of ingress.ip === alsoLoopback ? [ingress.ip, LOOPBACK] : [ingress.ip])
      at('load-balancer', address, { ...from, ...(sources.length && { sources }) })
  }
  if (port.nodePort && spec?.type !== 'ClusterIP') frontends.push({ kind: 'node', port: port.nodePort, ...from })
  return frontends
}

/** On a service: it has no address that is carried. On a slice: it is for those who ask DNS, and not for the address. */
const HEADLESS = 'service.kubernetes.io/headless'
/** Labels by which a service asks for another proxy, or for none. */
const NOT_OURS = ['service.kubernetes.io/service-proxy-name', HEADLESS]

/** Endpoints of a service port, from all its slices, with the number of the port at each. */
function endpointsOf(
  port: Port,
  slices: readonly EndpointSlice[],
  family: Family,
  isHeadless = false,
): ServiceEndpoint[] {
  const isPort = (each: { name?: string | undefined; protocol?: string | undefined }) =>
    (each.name ?? '') === (port.name ?? '') && (each.protocol ?? 'TCP') === (port.protocol ?? 'TCP')
  return slices.flatMap(slice =>
    slice.addressType !== family || (!isHeadless && HEADLESS in (slice.metadata?.labels ?? {}))
      ? []
      : (slice.ports ?? [])
          .filter(isPort)
          .flatMap(each => (slice.endpoints ?? []).map(endpoint => ({ endpoint, port: each.port ?? 0 }))),
  )
}

/** The ports of a service. Empty for a headless service and for an ExternalName: they live in DNS only. */
export function servicePorts(
  service: Service,
  slices: readonly EndpointSlice[],
  place: Place = {},
  family: Family = 'IPv4',
): ServicePort[] {
  const { spec, metadata } = service
  if (!hasClusterIp(service) || NOT_OURS.some(label => label in (metadata?.labels ?? {}))) return []
  const affinity =
    spec?.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800) : undefined
  const outsideIsLocal = spec?.externalTrafficPolicy === 'Local'
  return (spec?.ports ?? []).map(port => {
    const { cluster, local, any } = reachable(endpointsOf(port, slices, family), place)
    const onNode: Target = { backends: local, empty: any ? 'drop' : 'refuse' }
    const targets = { cluster: onNode, ...(outsideIsLocal && { outside: onNode }) }
    return {
      id: `${metadata?.namespace}/${metadata?.name}:${port.name || port.port}`,
      protocol: (port.protocol ?? 'TCP').toLowerCase() as TransportProtocol,
      frontends: frontendsOf(service, port, family, targets, place),
      backends: cluster,
      ...(affinity !== undefined && { affinitySeconds: affinity }),
    }
  })
}

/**
 * Where connections to a port of a service may go for who does not use the service's own address: headless services
 * have endpoints, too. Those of the service's first family, where it has any.
 */
export function portBackends(
  service: Service,
  port: Port,
  slices: readonly EndpointSlice[],
  place: Place = {},
): readonly Backend[] {
  const isHeadless = service.spec?.clusterIP === 'None'
  for (const family of service.spec?.ipFamilies ?? ['IPv4' as const]) {
    const { cluster } = reachable(endpointsOf(port, slices, family as Family, isHeadless), place)
    if (cluster.length) return cluster
  }
  return []
}
