/**
 * Which endpoints of a service traffic may go to from one node: ready ones, near ones where hints say so, those of the
 * node itself, and, where none is ready, those that still serve while they end (KEP-1669, KEP-4444, KEP-3015). Pure.
 */
import { isIPv4, isIPv6 } from 'node:net'
import type { Endpoint } from '../../api/generated/types/discovery-v1.ts'
import type { Backend } from './service-ports.ts'

/** Where the node is; without a name all endpoints are those of the node: the machine is the cluster. */
export interface Place {
  readonly nodeName?: string
  /** Label `topology.kubernetes.io/zone` of the node. */
  readonly zone?: string
  /** The address of this machine whose load balancers answer on its loopback, too. */
  readonly alsoLoopback?: string
}

export interface ServiceEndpoint {
  readonly endpoint: Endpoint
  readonly port: number
}

export interface Reachable {
  /** For traffic that may go to the whole cluster. */
  readonly cluster: readonly Backend[]
  /** For traffic that must stay on the node. */
  readonly local: readonly Backend[]
  /** Whether there is any, wherever it is. */
  readonly any: boolean
}

const isReady = ({ conditions }: Endpoint) => conditions?.ready !== false
const stillServes = ({ conditions }: Endpoint) => Boolean(conditions?.serving && conditions.terminating)

const compare = (a: Backend, b: Backend) => (a.address === b.address ? a.port - b.port : a.address < b.address ? -1 : 1)

function backendsOf(endpoints: readonly ServiceEndpoint[]): Backend[] {
  const found = new Map<string, Backend>()
  for (const { endpoint, port } of endpoints) {
    const address = endpoint.addresses[0]
    if (address && (isIPv4(address) || isIPv6(address))) found.set(`${address} ${port}`, { address, port })
  }
  return [...found.values()].sort(compare)
}

/** Ready ones, or where none is, those that serve while they end. */
function usable(endpoints: readonly ServiceEndpoint[]): ServiceEndpoint[] {
  const ready = endpoints.filter(({ endpoint }) => isReady(endpoint))
  return ready.length ? ready : endpoints.filter(({ endpoint }) => stillServes(endpoint))
}

/**
 * Those near this node, if every one has a hint and one of them means this node; else all: a hint must never leave a
 * node without endpoints.
 */
function near(ready: readonly ServiceEndpoint[], { nodeName, zone }: Place): readonly ServiceEndpoint[] {
  const meant = (kind: 'forNodes' | 'forZones', name: string | undefined) => {
    if (name === undefined || ready.some(({ endpoint }) => !endpoint.hints?.[kind]?.length)) return []
    return ready.filter(({ endpoint }) => endpoint.hints?.[kind]?.some(each => each.name === name))
  }
  const sameNode = meant('forNodes', nodeName)
  if (sameNode.length) return sameNode
  const sameZone = meant('forZones', zone)
  return sameZone.length ? sameZone : ready
}

/** Chooses among the endpoints of one service port. */
export function reachable(endpoints: readonly ServiceEndpoint[], place: Place): Reachable {
  const ready = endpoints.filter(({ endpoint }) => isReady(endpoint))
  const cluster = backendsOf(ready.length ? near(ready, place) : usable(endpoints))
  const { nodeName } = place
  const here = nodeName === undefined ? endpoints : endpoints.filter(({ endpoint }) => endpoint.nodeName === nodeName)
  return { cluster, local: backendsOf(usable(here)), any: cluster.length > 0 }
}
