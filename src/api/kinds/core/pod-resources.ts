/** What a pod asks for as a whole (KEP-2837): beside its containers, and in place of what they do not say. */
import type { Container, PodSpec } from '../../generated/types/core-v1.ts'
import { add, max } from '../../quota/amounts.ts'
import type { ResourceList } from './resources.ts'
import { canOvercommit } from './resources.validate.ts'

const HUGE_PAGES = 'hugepages-'

export const isHugePages = (name: string) => name.startsWith(HUGE_PAGES)
/** A pod as a whole can ask for these only. */
export const POD_LEVEL = ['cpu', HUGE_PAGES, 'memory'] as const
export const isPodLevel = (name: string) => name === 'cpu' || name === 'memory' || isHugePages(name)

/**
 * What containers ask for together, or are limited to: all at once, or one init container at a time with the sidecars
 * before it. Amounts must be quantities.
 */
export function containersTogether(spec: PodSpec, what: 'requests' | 'limits'): ResourceList {
  const listOf = ({ resources }: Container) => resources?.[what] ?? {}
  let sum = (spec.containers ?? []).map(listOf).reduce(add, {})
  let sidecars: ResourceList = {}
  let most: ResourceList = {}
  for (const container of spec.initContainers ?? []) {
    const now = add(sidecars, listOf(container))
    most = max(most, now)
    if (container.restartPolicy !== 'Always') continue
    sidecars = now
    sum = add(sum, listOf(container))
  }
  return max(sum, most)
}

/** Huge pages cannot be overcommitted: the pod's limit is what its containers have. */
function defaultLimits({ resources }: PodSpec, together: ResourceList): void {
  const { limits, requests } = resources!
  if (!Object.keys(limits ?? {}).length && !Object.keys(requests ?? {}).length) return
  const missing = Object.entries(together).filter(([name]) => isHugePages(name) && limits?.[name] === undefined)
  const free = missing.filter(([name]) => requests?.[name] === undefined)
  if (free.length) resources!.limits = { ...limits, ...Object.fromEntries(free) }
}

/** Fills in, in place, what a pod that says a part of its resources does not say. Amounts must be quantities. */
export function defaultPodResources(spec: PodSpec): void {
  if (!spec.resources) return
  defaultLimits(spec, containersTogether(spec, 'limits'))
  const { limits = {}, requests = {} } = spec.resources
  if (!Object.keys(limits).length) return
  const filled: ResourceList = { ...requests }
  for (const [name, amount] of Object.entries(containersTogether(spec, 'requests'))) {
    if (isPodLevel(name) && canOvercommit(name)) filled[name] ??= amount
  }
  for (const [name, amount] of Object.entries(limits)) if (isPodLevel(name)) filled[name] ??= amount
  if (Object.keys(filled).length) spec.resources.requests = filled
}
