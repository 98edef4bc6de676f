/**
 * Which pods of a node have to go so that a critical one has room: a node's own pods are not placed by a scheduler that
 * would see to it. The kubelet's choice: of the least class that suffices, and as few as possible. Pure.
 */
import type { Pod } from '../api/generated/types/core-v1.ts'
import { qosClass } from '../api/kinds/core/resources.ts'
import { isCritical } from './pod/object.ts'

/** So much of a resource is missing. */
export interface Shortage {
  readonly resource: string
  readonly missing: number
}

/** What a pod requests of a resource; of `pods`, itself. */
export type Request = (pod: Pod, resource: string) => number

/** What is still missing when these pods are gone. */
const without = (shortages: readonly Shortage[], pods: readonly Pod[], request: Request): Shortage[] =>
  shortages
    .map(({ resource, missing }) => ({
      resource,
      missing: pods.reduce((left, pod) => left - request(pod, resource), missing),
    }))
    .filter(({ missing }) => missing > 0)

/** How far a pod is from giving all of it, each resource counted alike. */
const distance = (shortages: readonly Shortage[], pod: Pod, request: Request): number =>
  shortages.reduce((sum, { resource, missing }) => {
    const left = Math.max(0, missing - request(pod, resource))
    return sum + (left / missing) ** 2
  }, 0)

/** Few of `pods` that give all of it, the nearest first, and of those as near the smallest. */
function nearest(pods: readonly Pod[], shortages: readonly Shortage[], request: Request): Pod[] {
  const rest = [...pods]
  const chosen: Pod[] = []
  const size = (pod: Pod) => ['memory', 'cpu'].map(resource => request(pod, resource))
  for (let left = [...shortages]; left.length > 0 && rest.length > 0; left = without(left, chosen.slice(-1), request)) {
    const found = rest.map((pod, at) => ({ at, far: distance(left, pod, request), size: size(pod) }))
    found.sort((a, b) => a.far - b.far || a.size[0]! - b.size[0]! || a.size[1]! - b.size[1]!)
    chosen.push(...rest.splice(found[0]!.at, 1))
  }
  return chosen
}

/** The pods that are to go for `pod`; undefined where all that may go would not suffice. */
export function victimsFor(
  pod: Pod,
  others: readonly Pod[],
  shortages: readonly Shortage[],
  request: Request,
): Pod[] | undefined {
  const priority = ({ spec }: Pod) => spec?.priority ?? 0
  const may = others.filter(each => !isCritical(each) || priority(pod) > priority(each))
  if (without(shortages, may, request).length > 0) return undefined
  const of = (name: string) => may.filter(each => qosClass(each) === name)
  const [guaranteed, burstable, bestEffort] = [of('Guaranteed'), of('Burstable'), of('BestEffort')]
  // Of each class only what those below it and those above that have to go anyway do not give.
  const first = nearest(guaranteed, without(shortages, [...burstable, ...bestEffort], request), request)
  const second = nearest(burstable, without(shortages, [...bestEffort, ...first], request), request)
  const third = nearest(bestEffort, without(shortages, [...second, ...first], request), request)
  return [...third, ...second, ...first]
}
