/** A pod as the scheduler sees it: what it asks for, in numbers, and the template that it shares with others. */
import type { Pod } from '../api/kinds/core/pod.ts'
import { isSidecar } from '../api/kinds/core/pod-containers.ts'
import { type HostPort, hostPortsOf } from '../api/machinery/host-ports.ts'
import { milliValue, quantityValue } from '../api/machinery/quantity.ts'
import { podAmounts } from '../api/quota/pod-resources.ts'
import { keyOf } from '../client/informer-types.ts'

/** Amounts of resources: cpu in thousandths, memory and storage in bytes, others in units. */
export interface Amounts {
  readonly cpu: number
  readonly memory: number
  readonly storage: number
  /** Extended resources and huge pages, by name; none of them 0. */
  readonly others: ReadonlyMap<string, number>
}

export interface PodInfo {
  readonly pod: Pod
  /** `namespace/name`. */
  readonly key: string
  readonly uid: string
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly priority: number
  /** uid of the controller that owns it; '' where none does. */
  readonly owner: string
  readonly requests: Amounts
  readonly hostPorts: readonly HostPort[]
  /** Pods with the same template fit the same nodes equally well. */
  readonly template: string
}

type Container = NonNullable<Pod['spec']>['containers'][number]
type Names = 'cpu' | 'memory' | 'ephemeral-storage'

const NAMED: ReadonlySet<string> = new Set<Names>(['cpu', 'memory', 'ephemeral-storage'])

const amountOf = (name: string, quantity: string) => (name === 'cpu' ? milliValue(quantity) : quantityValue(quantity))

function add(to: Map<string, number>, amounts: Iterable<readonly [string, number]>) {
  for (const [name, amount] of amounts) to.set(name, (to.get(name) ?? 0) + amount)
}

const requestsOf = (container: Container): [string, number][] =>
  Object.entries(container.resources?.requests ?? {}).map(([name, quantity]) => [name, amountOf(name, quantity)])

/**
 * What a pod asks for in all (KEP-753): its containers and sidecars together, or the largest moment of its start,
 * plus the overhead of its runtime class. Requests of the pod itself stand above those of its containers (KEP-2837).
 */
export function requestsOfPod(spec: Pod['spec']): Amounts {
  const total = new Map<string, number>()
  for (const container of spec?.containers ?? []) add(total, requestsOf(container))
  const sidecars = new Map<string, number>()
  const largest = new Map<string, number>()
  for (const container of spec?.initContainers ?? []) {
    const own = requestsOf(container)
    if (isSidecar(container)) {
      add(sidecars, own)
      add(total, own)
    }
    const moment = new Map(sidecars)
    if (!isSidecar(container)) add(moment, own)
    for (const [name, amount] of moment) largest.set(name, Math.max(largest.get(name) ?? 0, amount))
  }
  for (const [name, amount] of largest) total.set(name, Math.max(total.get(name) ?? 0, amount))
  const ofPod = (spec as { resources?: { requests?: Record<string, string> } } | undefined)?.resources?.requests ?? {}
  for (const [name, quantity] of Object.entries(ofPod)) total.set(name, amountOf(name, quantity))
  add(
    total,
    Object.entries(spec?.overhead ?? {}).map(([name, quantity]) => [name, amountOf(name, quantity)] as const),
  )
  return {
    cpu: total.get('cpu') ?? 0,
    memory: total.get('memory') ?? 0,
    storage: total.get('ephemeral-storage') ?? 0,
    others: new Map([...total].filter(([name, amount]) => !NAMED.has(name) && amount > 0)),
  }
}

/** Its resources may be others than it asks for: a resize waits, is under way, or has not been seen by its node. */
function isResized({ metadata, status }: Pod): boolean {
  if (!status?.containerStatuses?.some(each => each.resources)) return false
  const isKnown = (status.observedGeneration ?? 0) >= (metadata?.generation ?? 0)
  return !isKnown || (status.conditions ?? []).some(each => each.type.startsWith('PodResize'))
}

/** What a pod takes: what it asks for, or what it has where that is more (KEP-1287). */
function taken(pod: Pod): Amounts {
  const asked = requestsOfPod(pod.spec)
  if (!isResized(pod)) return asked
  const most = podAmounts(pod, 'requests', { overhead: true, status: true })
  return { ...asked, cpu: amountOf('cpu', most.cpu ?? '0'), memory: amountOf('memory', most.memory ?? '0') }
}

/** Only the parts of a pod that plugins look at. */
function templateOf(pod: Pod, owner: string, requests: Amounts, hostPorts: readonly HostPort[]): string {
  const { spec, metadata } = pod
  return JSON.stringify([
    metadata?.namespace,
    metadata?.labels,
    owner,
    requests.cpu,
    requests.memory,
    requests.storage,
    [...requests.others],
    hostPorts,
    spec?.nodeSelector,
    spec?.affinity,
    spec?.tolerations,
    spec?.topologySpreadConstraints,
    spec?.runtimeClassName,
    // Claims are the pod's own mostly; those without share their class.
    spec?.volumes?.some(each => each.persistentVolumeClaim || each.ephemeral)
      ? [
          metadata?.name,
          spec.volumes.map(each => each.persistentVolumeClaim?.claimName ?? each.ephemeral !== undefined),
        ]
      : undefined,
    spec?.priority,
  ])
}

/** Reads a pod. */
export function podInfoOf(pod: Pod): PodInfo {
  const { metadata, spec } = pod
  const owner = metadata?.ownerReferences?.find(each => each.controller)?.uid ?? ''
  const requests = taken(pod)
  const hostPorts = hostPortsOf(spec)
  return {
    pod,
    key: keyOf(pod),
    uid: metadata?.uid ?? keyOf(pod),
    namespace: metadata?.namespace ?? '',
    labels: metadata?.labels ?? {},
    priority: spec?.priority ?? 0,
    owner,
    requests,
    hostPorts,
    template: templateOf(pod, owner, requests, hostPorts),
  }
}
