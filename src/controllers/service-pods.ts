/** Services and the pods behind them, as both kinds of endpoints see them. */
import type { Pod, ServicePort } from '../api/generated/types/core-v1.ts'
import { isFinished } from '../api/kinds/core/finished.ts'
import { lastingContainers } from '../api/kinds/core/pod-containers.ts'
import { isReady } from '../api/kinds/core/ready.ts'
import { Service } from '../api/kinds/core/service.ts'
import { keyOf, type ObjectKey } from '../client/informer-types.ts'
import type { View } from '../control/controller.ts'
import { equalJson } from '../lib/json.ts'
import { isTerminating } from './pods.ts'

/** Where the agent of the portable mode says which real port stands for a container's: a JSON object. */
const PORTS_ANNOTATION = 'tutti.dev/ports'

const selects = (service: Service, labels: Readonly<Record<string, string>> | undefined) =>
  Object.entries(service.spec?.selector ?? {}).every(([name, value]) => labels?.[name] === value)

/** Endpoints are made for it: it has a selector and is no alias. */
export const hasEndpoints = ({ spec }: Service) => spec?.selector !== undefined && spec.type !== 'ExternalName'

export const podsOf = (service: Service, pods: readonly Pod[]) =>
  pods.filter(pod => selects(service, pod.metadata?.labels))

/** What of a pod endpoints show. */
const shown = (pod: Pod) => [
  pod.metadata?.labels,
  pod.metadata?.deletionTimestamp !== undefined,
  pod.metadata?.annotations?.[PORTS_ANNOTATION],
  pod.status?.podIPs,
  isReady(pod),
  isFinished(pod),
  pod.spec?.nodeName,
]

/** Services that a change of a pod concerns. */
export function servicesOf(
  { previous, current }: { readonly previous: Pod | undefined; readonly current: Pod | undefined },
  view: View,
): ObjectKey[] {
  if (previous && current && equalJson(shown(previous), shown(current))) return []
  const pod = (current ?? previous)!
  return view
    .of(Service)
    .list(pod.metadata?.namespace)
    .filter(
      service =>
        hasEndpoints(service) &&
        ((current && selects(service, current.metadata?.labels)) ||
          (previous && selects(service, previous.metadata?.labels))),
    )
    .map(keyOf)
}

/** It has an address and still lives; those on their way out count with `terminating`. */
export const belongs = (pod: Pod, terminating: boolean) =>
  !isFinished(pod) && (pod.status?.podIPs?.length ?? 0) > 0 && (terminating || !isTerminating(pod))

/** The name by which a headless service's DNS finds this pod. */
export const hostnameFor = (pod: Pod, service: Service): string | undefined =>
  pod.spec?.hostname && pod.spec.subdomain === service.metadata?.name ? pod.spec.hostname : undefined

/** Ports as the agent mapped them; empty where it did not. */
function portMap(pod: Pod): Readonly<Record<string, number>> {
  const text = pod.metadata?.annotations?.[PORTS_ANNOTATION]
  if (!text) return {}
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, number>) : {}
  } catch {
    return {}
  }
}

/** The port at which a pod serves a service's port; undefined for a name that no container has. */
export function targetPort(pod: Pod, port: ServicePort): number | undefined {
  const target = port.targetPort ?? port.port
  const map = portMap(pod)
  if (typeof target === 'number') return map[target] ?? target
  const protocol = port.protocol ?? 'TCP'
  for (const container of lastingContainers(pod)) {
    const found = container.ports?.find(each => each.name === target && (each.protocol ?? 'TCP') === protocol)
    if (found) return map[found.containerPort] ?? found.containerPort
  }
  return undefined
}

/** Has an address of its own, unlike a headless one. */
export const hasAddress = ({ spec }: Service) => Boolean(spec?.clusterIP) && spec?.clusterIP !== 'None'
