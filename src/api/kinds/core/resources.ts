/** Resource lists (`cpu: 500m`): their canonical form and what a pod asks for. */
import type { Pod } from '../../generated/types/core-v1.ts'
import { isQualifiedName } from '../../machinery/names.ts'
import {
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  milliValue,
  quantityOfMilli,
  quantityProblem,
} from '../../machinery/quantity.ts'

export const isHugePages = (name: string): boolean => name.startsWith('hugepages-')
/** One of Kubernetes' own. */
export const isNativeResource = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/')
/** A device or the like, by the name that its driver gives it, of which there can be a quota. */
export const isExtendedResource = (name: string): boolean =>
  !isNativeResource(name) && !name.startsWith('requests.') && isQualifiedName(`requests.${name}`).length === 0
/** A pod as a whole can ask for these only (KEP-2837). */
export const isPodLevel = (name: string): boolean => name === 'cpu' || name === 'memory' || isHugePages(name)

/** Amounts by resource name. */
export type ResourceList = Record<string, string>

/** In thousandths: what is finer is rounded away from zero. */
function canonicalAmount(amount: string): string {
  const canonical = canonicalQuantity(amount)
  return /[nu]$/.test(canonical) ? formatQuantity(quantityOfMilli(milliValue(amount))) : canonical
}

/** Writes each amount in its canonical form, in place: `0.5` becomes `500m`. Leaves alone what is no quantity. */
export function canonicalResources(list: ResourceList | undefined | null): void {
  if (!list) return
  for (const name in list) {
    const amount = list[name]!
    if (quantityProblem(amount) === undefined) list[name] = canonicalAmount(amount)
  }
}

const positive = (amount: string | undefined) => amount !== undefined && compareQuantities(amount, 0) > 0

/**
 * The pod's quality of service class: Guaranteed if every container has limits for cpu and memory that equal its
 * requests, BestEffort if none asks for or limits either, Burstable otherwise
 * (https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/). Amounts must be quantities.
 */
export function qosClass(pod: Pod): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const spec = pod.spec
  if (!spec) return 'BestEffort'
  const all = spec.resources ? [spec] : [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
  let any = false
  let guaranteed = true
  for (const { resources } of all) {
    for (const name of ['cpu', 'memory']) {
      const limit = resources?.limits?.[name]
      const request = resources?.requests?.[name]
      if (positive(limit) || positive(request)) any = true
      if (!positive(limit) || (request !== undefined && compareQuantities(limit!, request) !== 0)) guaranteed = false
    }
  }
  if (!any) return 'BestEffort'
  return guaranteed ? 'Guaranteed' : 'Burstable'
}
