import type { EndpointAddress } from '../../api/generated/types/core-v1.ts'
import type { Endpoint, EndpointPort } from '../../api/generated/types/discovery-v1.ts'
import { Endpoints } from '../../api/kinds/core/endpoints.ts'
import { Service } from '../../api/kinds/core/service.ts'
import { EndpointSlice } from '../../api/kinds/discovery/endpoint-slice.ts'
import { SERVICE_NAME } from '../../api/kinds/discovery/service-name.ts'
import { keyOf, type ObjectKey } from '../../client/informer-types.ts'
import type { View } from '../../control/controller.ts'
import type { Note, Plan, Write } from '../../control/plan.ts'
import { equalJson } from '../../lib/json.ts'
import { controllerReference } from '../owner.ts'

/** Endpoints of one subset that are mirrored (upstream's mirroring-max-endpoints-per-subset). */
const MAX_ENDPOINTS = 1000
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by'
const SKIP = 'endpointslice.kubernetes.io/skip-mirror'
const LEADER = 'control-plane.alpha.kubernetes.io/leader'
const MANAGER = 'endpointslicemirroring-controller.k8s.io'
const NOT_COPIED = new Set([
  'endpoints.kubernetes.io/last-change-trigger-time',
  'kubectl.kubernetes.io/last-applied-configuration',
])

/** What one slice should be. */
interface Mirror {
  readonly addressType: 'IPv4' | 'IPv6'
  readonly ports: readonly EndpointPort[]
  readonly endpoints: Endpoint[]
}

const isMirror = (slice: EndpointSlice) =>
  slice.metadata?.labels?.[MANAGED_BY] === MANAGER && !slice.metadata.deletionTimestamp

/** Plans the mirrors of Endpoints. */
export function reconcile(endpoints: Endpoints, view: View): Plan {
  const existing = view
    .of(EndpointSlice)
    .byIndex('owner', endpoints.metadata?.uid ?? '')
    .filter(isMirror)
  if (!isMirrored(endpoints, view)) return { writes: existing.map(remove) }
  if (endpoints.metadata?.deletionTimestamp) return {}
  const { mirrors, notes } = mirrorsOf(endpoints)
  const spare = [...existing]
  const take = (fits: (slice: EndpointSlice) => boolean) => {
    const at = spare.findIndex(fits)
    return at < 0 ? undefined : spare.splice(at, 1)[0]
  }
  const kept = mirrors.map(mirror => ({
    mirror,
    slice: take(({ addressType, ports }) => addressType === mirror.addressType && samePorts(ports, mirror.ports)),
  }))
  const writes = kept.flatMap(({ mirror, slice }): Write[] => {
    // A slice that would go can as well be used again, if it is of the family.
    const found = slice ?? take(each => each.addressType === mirror.addressType)
    return found ? rewrite(endpoints, found, mirror) : [create(endpoints, mirror)]
  })
  return { writes: [...writes, ...spare.map(remove)], ...(writes.length > 0 && { notes }) }
}

/** Endpoints that are gone leave no mirrors. */
export const absent = (key: ObjectKey, view: View): Plan => ({
  writes: view
    .of(EndpointSlice)
    .list(key.split('/')[0])
    .filter(slice => isMirror(slice) && key.endsWith(`/${slice.metadata?.labels?.[SERVICE_NAME]}`))
    .map(remove),
})

/** Those of a service with a selector are made from the same pods as its slices; those of leaders serve nobody. */
function isMirrored(endpoints: Endpoints, view: View): boolean {
  const { labels, annotations } = endpoints.metadata ?? {}
  if (labels?.[SKIP] === 'true' || annotations?.[LEADER] !== undefined) return false
  const service = view.of(Service).get(keyOf(endpoints))
  return service !== undefined && service.spec?.selector === undefined
}

function mirrorsOf(endpoints: Endpoints): { readonly mirrors: readonly Mirror[]; readonly notes: readonly Note[] } {
  const mirrors = new Map<string, Omit<Mirror, 'endpoints'> & { readonly endpoints: Map<string, Endpoint> }>()
  let skipped = 0
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of endpoints.subsets ?? []) {
    const all = [
      ...addresses.map(each => [each, true] as const),
      ...notReadyAddresses.map(each => [each, false] as const),
    ]
    skipped += Math.max(0, all.length - MAX_ENDPOINTS)
    for (const [address, ready] of all.slice(0, MAX_ENDPOINTS)) {
      const addressType = address.ip.includes(':') ? 'IPv6' : 'IPv4'
      const own = ports.map(({ name = '', port, protocol = 'TCP', appProtocol }) => ({
        name,
        port,
        protocol,
        ...(appProtocol && { appProtocol }),
      }))
      const key = `${addressType} ${portsKey(own)}`
      const mirror = mirrors.get(key) ?? { addressType, ports: own, endpoints: new Map() }
      mirrors.set(key, mirror)
      // Of one that is named twice, what is said last counts.
      mirror.endpoints.set(identityOf(address), endpointOf(address, ready))
    }
  }
  const message = `A max of ${MAX_ENDPOINTS} addresses can be mirrored to EndpointSlices per Endpoints subset. ${skipped} addresses were skipped`
  const told: Note = { target: endpoints, type: 'Warning', reason: 'TooManyAddressesToMirror', message }
  const made = [...mirrors.values()].map(mirror => ({ ...mirror, endpoints: [...mirror.endpoints.values()] }))
  return { mirrors: made, notes: skipped > 0 ? [told] : [] }
}

const identityOf = ({ ip, targetRef }: EndpointAddress) => [ip, targetRef?.namespace, targetRef?.name].join()

function endpointOf({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname && { hostname }),
    ...(targetRef && { targetRef }),
    ...(nodeName && { nodeName }),
  }
}

const portsKey = (ports: readonly EndpointPort[] | undefined) =>
  JSON.stringify(
    (ports ?? [])
      .map(({ name = '', port, protocol = 'TCP', appProtocol = '' }) => [name, port, protocol, appProtocol].join('/'))
      .sort(),
  )
const samePorts = (a: readonly EndpointPort[] | undefined, b: readonly EndpointPort[]) => portsKey(a) === portsKey(b)

function metadataOf({ metadata }: Endpoints) {
  const annotations = Object.entries(metadata?.annotations ?? {}).filter(([name]) => !NOT_COPIED.has(name))
  return {
    labels: { ...metadata?.labels, [SERVICE_NAME]: metadata?.name ?? '', [MANAGED_BY]: MANAGER },
    ...(annotations.length > 0 && { annotations: Object.fromEntries(annotations) }),
  }
}

function rewrite(endpoints: Endpoints, slice: EndpointSlice, { ports, endpoints: mirrored }: Mirror): Write[] {
  const { labels, annotations } = metadataOf(endpoints)
  const isSame =
    equalJson(slice.endpoints ?? [], mirrored) &&
    samePorts(slice.ports, ports) &&
    equalJson(slice.metadata?.labels, labels) &&
    equalJson(slice.metadata?.annotations, annotations)
  if (isSame) return []
  const { annotations: _, ...kept } = slice.metadata ?? {}
  const metadata = { ...kept, labels, ...(annotations && { annotations }) }
  const next = { ...slice, metadata, endpoints: mirrored, ports: [...ports] }
  return [{ type: 'update', resource: EndpointSlice, current: slice, next }]
}

function create(endpoints: Endpoints, { addressType, ports, endpoints: mirrored }: Mirror): Write {
  const object: EndpointSlice = {
    apiVersion: EndpointSlice.apiVersion,
    kind: EndpointSlice.kind,
    metadata: {
      generateName: `${endpoints.metadata?.name}-`,
      ...(endpoints.metadata?.namespace && { namespace: endpoints.metadata.namespace }),
      ...metadataOf(endpoints),
      ownerReferences: [controllerReference(Endpoints, endpoints)],
    },
    addressType,
    endpoints: mirrored,
    ports: [...ports],
  }
  return { type: 'create', resource: EndpointSlice, object }
}

const remove = (slice: EndpointSlice): Write => ({ type: 'delete', resource: EndpointSlice, object: slice })
