import type { Node as NodeType } from '../../api/generated/types/core-v1.ts'
import type { Endpoint, EndpointPort } from '../../api/generated/types/discovery-v1.ts'
import { Node } from '../../api/kinds/core/node.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { isReady } from '../../api/kinds/core/ready.ts'
import { Service } from '../../api/kinds/core/service.ts'
import { EndpointSlice } from '../../api/kinds/discovery/endpoint-slice.ts'
import { SERVICE_NAME } from '../../api/kinds/discovery/service-name.ts'
import { keyOf, type ObjectKey } from '../../client/informer-types.ts'
import type { View } from '../../control/controller.ts'
import type { Note, Plan, Write } from '../../control/plan.ts'
import type { Family } from '../../lib/ip-range.ts'
import { equalJson } from '../../lib/json.ts'
import { controllerReference } from '../owner.ts'
import { isTerminating } from '../pods.ts'
import { belongs, hasAddress, hasEndpoints, hostnameFor, podsOf, targetPort } from '../service-pods.ts'
import { forgetLeftOut, onNodes, updateFailed } from './nodes.ts'
import { wantsTopology, ZONE, zoneHints } from './topology.ts'

/** Endpoints in one slice (upstream's max-endpoints-per-slice). */
const MAX_ENDPOINTS = 100
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by'
const HEADLESS = 'service.kubernetes.io/headless'
const MANAGER = 'endpointslice-controller.k8s.io'
const RESERVED = new Set([MANAGED_BY, SERVICE_NAME, HEADLESS])

/** Endpoints that share their ports, and so can share slices. */
interface Group {
  readonly family: Family
  readonly ports: readonly EndpointPort[]
  readonly endpoints: Map<string, Endpoint>
}

/** Plans the slices of a Service: endpoints stay where they are, free places are filled, empty slices go. */
export function reconcile(service: Service, view: View): Plan {
  if (!hasEndpoints(service) || service.metadata?.deletionTimestamp) return {}
  const existing = view
    .of(EndpointSlice)
    .byIndex('owner', service.metadata?.uid ?? '')
    .filter(slice => slice.metadata?.labels?.[MANAGED_BY] === MANAGER && !slice.metadata.deletionTimestamp)
  const behind = podsOf(service, view.of(Pod).list(service.metadata?.namespace)).filter(pod => belongs(pod, true))
  const { pods, notes } = onNodes(service, behind, view)
  const families = familiesOf(service)
  const writes: Write[] = existing
    .filter(slice => !families.includes(slice.addressType as Family))
    .map(slice => ({ type: 'delete', resource: EndpointSlice, object: slice }))
  for (const family of families) {
    const slices = existing.filter(slice => slice.addressType === family)
    const groups = groupsOf(service, family, pods, view)
    if (wantsTopology(service.metadata?.annotations)) notes.push(...giveZones(service, family, slices, groups, view))
    else view.memory.delete(toldOf(keyOf(service), family))
    writes.push(...reconcileFamily(service, family, slices, groups))
  }
  return { writes, ...(notes.length && { notes }) }
}

/** Under which it is remembered what was told of a service. */
const toldOf = (service: ObjectKey, family: Family) => `${service} ${family}`

/** The service is gone; its slices go with it. */
export function absent(key: ObjectKey, view: View): Plan {
  forgetLeftOut(key, view)
  for (const family of ['IPv4', 'IPv6'] as const) view.memory.delete(toldOf(key, family))
  return {}
}

/** Gives the endpoints of a family the zones that they are meant for. Tells once whether there are such, and why not. */
function giveZones(
  service: Service,
  family: Family,
  slices: readonly EndpointSlice[],
  groups: ReadonlyMap<string, Group>,
  view: View,
): Note[] {
  const before = new Map(
    slices.flatMap(({ endpoints }) =>
      (endpoints ?? []).map(({ targetRef, hints }) => [targetRef?.uid ?? '', hints?.forZones?.[0]?.name] as const),
    ),
  )
  const endpoints = [...groups.values()].flatMap(group => [...group.endpoints])
  const ready = endpoints.filter(([, { conditions }]) => conditions?.ready)
  const placed = ready.map(([id, { zone }]) => ({ id, zone, before: before.get(id) }))
  const found = zoneHints(placed, view.of<NodeType>(Node).list())
  if ('zones' in found)
    for (const [id, endpoint] of ready) endpoint.hints = { forZones: [{ name: found.zones.get(id)! }] }
  const text = 'problem' in found ? found.problem : 'Topology Aware Hints has been enabled'
  const key = toldOf(keyOf(service), family)
  if (view.memory.get(key) === text) return []
  view.memory.set(key, text)
  return [
    {
      target: service,
      type: 'problem' in found ? 'Warning' : 'Normal',
      reason: 'problem' in found ? 'TopologyAwareHintsDisabled' : 'TopologyAwareHintsEnabled',
      message: `${text}, addressType: ${family}`,
    },
  ]
}

function familiesOf({ spec }: Service): Family[] {
  if (spec?.ipFamilies?.length) return spec.ipFamilies as Family[]
  if (spec?.clusterIP && spec.clusterIP !== 'None') return [spec.clusterIP.includes(':') ? 'IPv6' : 'IPv4']
  return ['IPv4', 'IPv6']
}

const portKey = (ports: readonly EndpointPort[] | undefined) =>
  JSON.stringify(
    [...(ports ?? [])]
      .map(({ name = '', port, protocol = 'TCP', appProtocol = '' }) => [name, port, protocol, appProtocol])
      .sort((a, b) => (String(a) < String(b) ? -1 : 1)),
  )

function groupsOf(service: Service, family: Family, pods: readonly Pod[], view: View): Map<string, Group> {
  const groups = new Map<string, Group>()
  for (const pod of pods) {
    const addresses = (pod.status?.podIPs ?? [])
      .map(each => each.ip)
      .filter(ip => ip.includes(':') === (family === 'IPv6'))
    if (addresses.length === 0) continue
    const ports = portsOf(service, pod)
    if (!ports) continue
    const key = portKey(ports)
    let group = groups.get(key)
    if (!group) groups.set(key, (group = { family, ports, endpoints: new Map() }))
    group.endpoints.set(pod.metadata?.uid ?? '', endpointOf(service, pod, addresses, view))
  }
  return groups
}

/** Ports of a pod for this service; undefined where it serves none of them. */
function portsOf(service: Service, pod: Pod): EndpointPort[] | undefined {
  const ports: EndpointPort[] = []
  for (const each of service.spec?.ports ?? []) {
    const port = targetPort(pod, each)
    if (port === undefined) continue
    const { name = '', protocol = 'TCP', appProtocol } = each
    ports.push({ name, port, protocol, ...(appProtocol && { appProtocol }) })
  }
  return ports
}

/** Whose traffic should come here: that of the same zone, and, where it is asked for, of the same node (KEP-4444, KEP-3015). */
function hintsOf(
  { spec }: Service,
  nodeName: string | undefined,
  zone: string | undefined,
): NonNullable<Endpoint['hints']> | undefined {
  const wish = spec?.trafficDistribution
  if (wish !== 'PreferClose' && wish !== 'PreferSameZone' && wish !== 'PreferSameNode') return undefined
  const forNodes = wish === 'PreferSameNode' && nodeName
  if (!zone && !forNodes) return undefined
  return { ...(zone && { forZones: [{ name: zone }] }), ...(forNodes && { forNodes: [{ name: nodeName }] }) }
}

function endpointOf(service: Service, pod: Pod, addresses: string[], view: View): Endpoint {
  const serving = isReady(pod)
  const terminating = isTerminating(pod)
  const nodeName = pod.spec?.nodeName
  const zone = nodeName && view.of(Node).get(nodeName)?.metadata?.labels?.[ZONE]
  const hostname = hostnameFor(pod, service)
  const { namespace, name, uid } = pod.metadata ?? {}
  const ready = Boolean(service.spec?.publishNotReadyAddresses) || (serving && !terminating)
  const near = ready && !wantsTopology(service.metadata?.annotations)
  const hints = near ? hintsOf(service, nodeName, zone || undefined) : undefined
  return {
    addresses,
    conditions: { ready, serving, terminating },
    ...(hints && { hints }),
    ...(hostname && { hostname }),
    ...(nodeName && { nodeName }),
    targetRef: { kind: 'Pod', namespace, name, uid } as NonNullable<Endpoint['targetRef']>,
    ...(zone && { zone }),
  }
}

function labelsOf(service: Service): Record<string, string> {
  const labels = Object.entries(service.metadata?.labels ?? {}).filter(([name]) => !RESERVED.has(name))
  return {
    ...Object.fromEntries(labels),
    ...(!hasAddress(service) && { [HEADLESS]: '' }),
    [SERVICE_NAME]: service.metadata?.name ?? '',
    [MANAGED_BY]: MANAGER,
  }
}

function reconcileFamily(
  service: Service,
  family: Family,
  slices: readonly EndpointSlice[],
  groups: ReadonlyMap<string, Group>,
): Write[] {
  const labels = labelsOf(service)
  const writes: Write[] = []
  const idle: EndpointSlice[] = []
  const byPorts = Map.groupBy(slices, slice => portKey(slice.ports))
  for (const [key, own] of byPorts) if (!groups.has(key)) idle.push(...own)
  let kept = 0
  for (const [key, group] of groups) {
    const filled = fill(group, byPorts.get(key) ?? [])
    for (const { slice, endpoints } of filled.slices) {
      if (endpoints.length === 0) idle.push(slice)
      else {
        kept++
        writes.push(...rewrite(slice, endpoints, slice.ports, labels))
      }
    }
    for (const endpoints of filled.rest) {
      kept++
      // A slice that would go can as well be used again.
      const spare = idle.pop()
      if (spare) writes.push(...rewrite(spare, endpoints, [...group.ports], labels))
      else writes.push(creation(service, family, endpoints, [...group.ports], labels))
    }
  }
  if (kept === 0) {
    // One empty slice says that the service is known and has nothing behind it.
    const spare = idle.pop()
    if (spare) writes.push(...rewrite(spare, [], [], labels))
    else writes.push(creation(service, family, [], [], labels))
  }
  for (const slice of idle) writes.push({ type: 'delete', resource: EndpointSlice, object: slice })
  return writes
}

/** Leaves endpoints in their slices, drops what is gone, and puts new ones into free places, fullest slice first. */
function fill({ endpoints }: Group, slices: readonly EndpointSlice[]) {
  const left = new Map(endpoints)
  const result = slices.map(slice => {
    const stay: Endpoint[] = []
    for (const old of slice.endpoints ?? []) {
      const uid = old.targetRef?.uid ?? ''
      const now = left.get(uid)
      if (now && left.delete(uid)) stay.push(now)
    }
    return { slice, endpoints: stay }
  })
  result.sort((a, b) => b.endpoints.length - a.endpoints.length)
  const added = [...left.values()]
  for (const each of result) {
    if (each.endpoints.length > 0) each.endpoints.push(...added.splice(0, MAX_ENDPOINTS - each.endpoints.length))
  }
  const rest: Endpoint[][] = []
  while (added.length > 0) rest.push(added.splice(0, MAX_ENDPOINTS))
  return { slices: result, rest }
}

function rewrite(
  slice: EndpointSlice,
  endpoints: Endpoint[],
  ports: EndpointPort[] | undefined,
  labels: Record<string, string>,
): Write[] {
  const isSame =
    equalJson(slice.endpoints ?? [], endpoints) &&
    portKey(slice.ports) === portKey(ports) &&
    equalJson(slice.metadata?.labels, labels)
  if (isSame) return []
  const next = { ...slice, metadata: { ...slice.metadata, labels }, endpoints, ports: ports ?? [] }
  return [{ type: 'update', resource: EndpointSlice, current: slice, next }]
}

function creation(
  service: Service,
  addressType: Family,
  endpoints: Endpoint[],
  ports: EndpointPort[],
  labels: Record<string, string>,
): Write {
  const object: EndpointSlice = {
    apiVersion: EndpointSlice.apiVersion,
    kind: EndpointSlice.kind,
    metadata: {
      generateName: `${service.metadata?.name}-`,
      ...(service.metadata?.namespace && { namespace: service.metadata.namespace }),
      labels,
      ownerReferences: [controllerReference(Service, service)],
    },
    addressType,
    endpoints,
    ports,
  }
  return {
    type: 'create',
    resource: EndpointSlice,
    object,
    failed: error => updateFailed(service, error.message),
  }
}
