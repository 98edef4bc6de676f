/**
 * What a pod has been given of the node, which is not what it asks for while a resize waits (KEP-1287): amounts of each
 * container and of the pod as a whole. Pure.
 */
import type { Container, Pod, PodSpec, ResourceRequirements } from '../../api/generated/types/core-v1.ts'
import { add } from '../../api/quota/amounts.ts'
import { podAmounts } from '../../api/quota/pod-resources.ts'
import { equalJson } from '../../lib/json.ts'
import { statusesOf } from './object.ts'

/** By container; the pod's own under ''. */
export type Allocation = ReadonlyMap<string, ResourceRequirements | undefined>

const LISTS = ['initContainers', 'containers'] as const
const all = (spec: PodSpec | undefined): readonly Container[] => LISTS.flatMap(list => spec?.[list] ?? [])

/** All that the pod asks for. */
export const allocationOf = ({ spec }: Pod): Allocation =>
  new Map([['', spec?.resources], ...all(spec).map(each => [each.name, each.resources] as const)])

/** Whether the pod asks for other amounts than it has. */
export const differs = ({ spec }: Pod, allocation: Allocation): boolean =>
  !equalJson(spec?.resources ?? {}, allocation.get('') ?? {}) ||
  all(spec).some(each => !equalJson(each.resources ?? {}, allocation.get(each.name) ?? {}))

/** The pod with the amounts that it has in place of those that it asks for; itself where they are the same. */
export function withAllocation(pod: Pod, allocation: Allocation): Pod {
  if (!differs(pod, allocation)) return pod
  const { resources: _, ...rest } = pod.spec!
  const own = allocation.get('')
  const spec: PodSpec = { ...rest, ...(own && { resources: own }) }
  for (const list of LISTS) {
    if (!spec[list]) continue
    spec[list] = spec[list].map(container => {
      const { resources: __, ...bare } = container
      const given = allocation.get(container.name)
      return given ? { ...bare, resources: given } : bare
    })
  }
  return { ...pod, spec }
}

/**
 * What an earlier life of the node had given the pod, by the status that it left; what the status does not tell is as
 * the pod asks for it.
 */
export function restoreAllocation(pod: Pod): Allocation {
  const statuses = new Map(statusesOf(pod).map(each => [each.name, each]))
  const given = allocationOf(pod)
  const result = new Map(given)
  for (const [name, asked] of given) {
    const status = statuses.get(name)
    if (!status?.resources) continue
    const { requests: _, limits: __, ...others } = asked ?? {}
    const requests = status.allocatedResources ?? status.resources.requests
    const { limits } = status.resources
    const made: ResourceRequirements = { ...others, ...(requests && { requests }), ...(limits && { limits }) }
    if (asked || Object.keys(made).length > 0) result.set(name, made)
  }
  const own = pod.spec?.resources
  const { resources } = pod.status ?? {}
  if (own && resources) {
    const of = (asked: Readonly<Record<string, string>> | undefined, given: Readonly<Record<string, string>> = {}) =>
      asked && Object.fromEntries(Object.entries(asked).map(([name, amount]) => [name, given[name] ?? amount]))
    const [requests, limits] = [of(own.requests, resources.requests), of(own.limits, resources.limits)]
    result.set('', { ...own, ...(requests && { requests }), ...(limits && { limits }) })
  }
  return result
}

/** Requests and limits of the pod as a whole, as its status shows them: what it says, or its containers together. */
export function wholeResources(pod: Pod): { requests?: Record<string, string>; limits?: Record<string, string> } {
  const [requests, limits] = [podAmounts(pod, 'requests'), podAmounts(pod, 'limits')]
  return {
    ...(Object.keys(requests).length > 0 && { requests: add({}, requests) }),
    ...(Object.keys(limits).length > 0 && { limits: add({}, limits) }),
  }
}
