/** Whether a pod fits on the node: the check that a node makes itself, as binding may have raced. */
import type { Pod } from '../api/generated/types/core-v1.ts'
import { qosClass } from '../api/kinds/core/resources.ts'
import { hostPortsOf, NO_FREE_PORTS, portsClash } from '../api/machinery/host-ports.ts'
import { milliValue, quantityValue } from '../api/machinery/quantity.ts'
import { podAmounts } from '../api/quota/pod-resources.ts'
import type { Refusal } from './pod/deps.ts'

const value = (resource: string, quantity: string | undefined) => {
  if (quantity === undefined) return 0
  return resource === 'cpu' ? milliValue(quantity) : quantityValue(quantity)
}

const known = new WeakMap<Pod, Readonly<Record<string, string>>>()

/** What a pod requests in all. */
function requestsOf(pod: Pod): Readonly<Record<string, string>> {
  let found = known.get(pod)
  if (!found) {
    found = podAmounts(pod, 'requests', { overhead: true })
    known.set(pod, found)
  }
  return found
}

/** Refuses a pod for which `allocatable` minus the requests of `others` does not suffice, as the kubelet words it. */
export function fits(
  pod: Pod,
  others: readonly Pod[],
  allocatable: Readonly<Record<string, string>>,
): Refusal | undefined {
  if (others.length + 1 > Number(allocatable.pods ?? Number.POSITIVE_INFINITY)) {
    return refusal('pods', 1, others.length, Number(allocatable.pods))
  }
  const requests = requestsOf(pod)
  for (const resource of ['cpu', 'memory', 'ephemeral-storage']) {
    const asked = value(resource, requests[resource])
    if (asked === 0 || allocatable[resource] === undefined) continue
    const taken = others.reduce((sum, each) => sum + value(resource, requestsOf(each)[resource]), 0)
    const capacity = value(resource, allocatable[resource])
    if (asked + taken > capacity) return refusal(resource, asked, taken, capacity)
  }
  return undefined
}

/** Refuses a pod of which `others` have a port of the node already, as the kubelet words it. */
export function portsFree(pod: Pod, others: readonly Pod[]): Refusal | undefined {
  const asked = hostPortsOf(pod.spec)
  if (asked.length === 0) return undefined
  const taken = others.flatMap(each => hostPortsOf(each.spec))
  if (!asked.some(port => taken.some(each => portsClash(port, each)))) return undefined
  return { reason: 'NodePorts', message: `Predicate NodePorts failed: ${NO_FREE_PORTS}` }
}

const refusal = (resource: string, requested: number, used: number, capacity: number): Refusal => ({
  reason: `OutOf${resource}`,
  message: `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
})

const QUALITY = ['Guaranteed', 'Burstable', 'BestEffort']

/** Pods that wait for room, in the order in which they get it: by priority, by class, then as they came. */
export function inOrder<T extends { allocated(): Pod }>(waiting: readonly T[]): T[] {
  const rank = (each: T) => {
    const pod = each.allocated()
    return { priority: pod.spec?.priority ?? 0, quality: QUALITY.indexOf(qosClass(pod)) }
  }
  return waiting
    .map(each => ({ each, ...rank(each) }))
    .sort((a, b) => b.priority - a.priority || a.quality - b.quality)
    .map(({ each }) => each)
}
