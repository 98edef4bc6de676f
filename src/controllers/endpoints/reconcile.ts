import type { EndpointAddress, EndpointPort, EndpointSubset } from '../../api/generated/types/core-v1.ts'
import { Endpoints } from '../../api/kinds/core/endpoints.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { isReady } from '../../api/kinds/core/ready.ts'
import type { Service } from '../../api/kinds/core/service.ts'
import type { View } from '../../control/controller.ts'
import type { Plan } from '../../control/plan.ts'
import { equalJson } from '../../lib/json.ts'
import { belongs, hasAddress, hasEndpoints, hostnameFor, podsOf, targetPort } from '../service-pods.ts'

const HEADLESS = 'service.kubernetes.io/headless'
const MANAGED_BY = 'endpoints.kubernetes.io/managed-by'
const MANAGER = 'endpoint-controller'
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity'
/** Addresses that one object may hold; slices have no such limit. */
const CAPACITY = 1000

/** Plans the Endpoints of a Service. */
export function reconcile(service: Service, view: View): Plan {
  if (!hasEndpoints(service)) return {}
  const { namespace, name } = service.metadata ?? {}
  const current = view.of(Endpoints).get(`${namespace}/${name}`)
  const all = subsetsOf(service, view)
  const count = all.reduce(
    (sum, { addresses = [], notReadyAddresses = [] }) => sum + addresses.length + notReadyAddresses.length,
    0,
  )
  const subsets = count > CAPACITY ? truncate(all) : all
  const { [HEADLESS]: _, ...serviceLabels } = service.metadata?.labels ?? {}
  const labels = { ...serviceLabels, ...(!hasAddress(service) && { [HEADLESS]: '' }), [MANAGED_BY]: MANAGER }
  const { [OVER_CAPACITY]: __, ...others } = current?.metadata?.annotations ?? {}
  const annotations = count > CAPACITY ? { ...others, [OVER_CAPACITY]: 'truncated' } : others
  const isSame =
    current &&
    equalJson(current.subsets ?? [], subsets) &&
    equalJson(current.metadata?.labels, labels) &&
    equalJson(current.metadata?.annotations ?? {}, annotations)
  if (isSame) return {}
  const next: Endpoints = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    ...current,
    metadata: { ...current?.metadata, ...(namespace && { namespace }), ...(name && { name }), labels, annotations },
    subsets,
  }
  return {
    writes: [
      current
        ? {
            type: 'update',
            resource: Endpoints,
            current,
            next,
            failed: failed('FailedToUpdateEndpoint', 'update endpoint'),
          }
        : {
            type: 'create',
            resource: Endpoints,
            object: next,
            failed: failed('FailedToCreateEndpoint', 'create endpoint for service'),
          },
    ],
  }
  function failed(reason: string, what: string) {
    return (error: Error) => ({
      target: next,
      type: 'Warning' as const,
      reason,
      message: `Failed to ${what} ${namespace}/${name}: ${error.message}`,
    })
  }
}

/** The service is gone, and its Endpoints go as well. */
export function absent(key: string, view: View): Plan {
  const left = view.of(Endpoints).get(key)
  return left ? { writes: [{ type: 'delete', resource: Endpoints, object: left }] } : {}
}

interface Entry {
  readonly port: EndpointPort | undefined
  readonly address: EndpointAddress
  readonly ready: boolean
}

function subsetsOf(service: Service, view: View): EndpointSubset[] {
  const everyone = Boolean(service.spec?.publishNotReadyAddresses)
  const entries: Entry[] = []
  for (const pod of podsOf(service, view.of(Pod).list(service.metadata?.namespace))) {
    if (!belongs(pod, everyone)) continue
    const address = addressOf(service, pod)
    if (!address) continue
    const ready = everyone || isReady(pod)
    const ports = service.spec?.ports ?? []
    if (ports.length === 0 && service.spec?.clusterIP === 'None') entries.push({ port: undefined, address, ready })
    for (const each of ports) {
      const port = targetPort(pod, each)
      if (port === undefined) continue
      const { name, protocol = 'TCP', appProtocol } = each
      const endpoint = { ...(name && { name }), port, protocol, ...(appProtocol && { appProtocol }) }
      entries.push({ port: endpoint, address, ready })
    }
  }
  return repack(entries)
}

function addressOf(service: Service, pod: Pod): EndpointAddress | undefined {
  const family = service.spec?.ipFamilies?.[0]
  const isV6 = family ? family === 'IPv6' : service.spec?.clusterIP?.includes(':') === true
  const ip = pod.status?.podIPs?.map(each => each.ip).find(each => each.includes(':') === isV6)
  if (!ip) return undefined
  const hostname = hostnameFor(pod, service)
  const { namespace, name, uid } = pod.metadata ?? {}
  return {
    ip,
    ...(pod.spec?.nodeName && { nodeName: pod.spec.nodeName }),
    targetRef: { kind: 'Pod', namespace, name, uid } as NonNullable<EndpointAddress['targetRef']>,
    ...(hostname && { hostname }),
  }
}

const text = (value: unknown) => JSON.stringify(value)
const inOrder = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** Addresses that have the same ports come together; everything in a fixed order. */
function repack(entries: readonly Entry[]): EndpointSubset[] {
  const byAddress = Map.groupBy(entries, ({ address, ready }) => `${ready} ${text(address)}`)
  const groups = new Map<string, { ports: EndpointPort[]; ready: EndpointAddress[]; not: EndpointAddress[] }>()
  for (const same of byAddress.values()) {
    const ports = same.flatMap(each => (each.port ? [each.port] : []))
    ports.sort((a, b) => inOrder(`${a.name ?? ''} ${a.port} ${a.protocol}`, `${b.name ?? ''} ${b.port} ${b.protocol}`))
    const key = text(ports)
    let group = groups.get(key)
    if (!group) groups.set(key, (group = { ports, ready: [], not: [] }))
    const { address, ready } = same[0]!
    ;(ready ? group.ready : group.not).push(address)
  }
  const byIp = (a: EndpointAddress, b: EndpointAddress) =>
    inOrder(a.ip, b.ip) || inOrder(text(a.targetRef), text(b.targetRef))
  return [...groups]
    .sort(([a], [b]) => inOrder(a, b))
    .map(([, { ports, ready, not }]) => ({
      ...(ready.length > 0 && { addresses: ready.sort(byIp) }),
      ...(not.length > 0 && { notReadyAddresses: not.sort(byIp) }),
      ...(ports.length > 0 && { ports }),
    }))
}

/** The first addresses up to the capacity, ready ones before the others. */
function truncate(subsets: readonly EndpointSubset[]): EndpointSubset[] {
  let room = CAPACITY
  const ready = subsets.map(({ addresses = [] }) => {
    const taken = addresses.slice(0, room)
    room -= taken.length
    return taken
  })
  return subsets.map(({ notReadyAddresses = [], ports }, index) => {
    const not = notReadyAddresses.slice(0, room)
    room -= not.length
    return {
      ...(ready[index]!.length > 0 && { addresses: ready[index]! }),
      ...(not.length > 0 && { notReadyAddresses: not }),
      ...(ports && { ports }),
    }
  })
}
