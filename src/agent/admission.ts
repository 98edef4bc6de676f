/** Whether a pod fits on the node: the check that a node makes itself, as binding may have raced. */
import type { Pod } from '../api/generated/types/core-v1.ts'
import { milliValue, quantityValue } from '../api/machinery/quantity.ts'
import type { Refusal } from './pod/deps.ts'
import { isSidecar } from './pod/restart.ts'

const value = (resource: string, quantity: string) =>
  resource === 'cpu' ? milliValue(quantity) : quantityValue(quantity)

/** What a pod asks for of a resource: its containers and sidecars, or its largest init container; and its overhead. */
export function requestOf({ spec }: Pod, resource: string): number {
  const of = (requests: Readonly<Record<string, string>> | undefined) =>
    requests?.[resource] === undefined ? 0 : value(resource, requests[resource])
  let sidecars = 0
  let peak = 0
  for (const container of spec?.initContainers ?? []) {
    const own = of(container.resources?.requests)
    if (isSidecar(container)) sidecars += own
    peak = Math.max(peak, sidecars + (isSidecar(container) ? 0 : own))
  }
  const main = (spec?.containers ?? []).reduce((sum, each) => sum + of(each.resources?.requests), sidecars)
  return Math.max(main, peak) + of(spec?.overhead)
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
  for (const resource of ['cpu', 'memory', 'ephemeral-storage']) {
    const asked = requestOf(pod, resource)
    if (asked === 0 || allocatable[resource] === undefined) continue
    const used = others.reduce((sum, each) => sum + requestOf(each, resource), 0)
    const capacity = value(resource, allocatable[resource])
    if (asked + used > capacity) return refusal(resource, asked, used, capacity)
  }
  return undefined
}

const refusal = (resource: string, requested: number, used: number, capacity: number): Refusal => ({
  reason: `OutOf${resource}`,
  message: `Pod was rejected: Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
})
