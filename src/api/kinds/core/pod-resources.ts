/** What a pod asks for as a whole (KEP-2837): beside its containers, and in place of what they do not say. */
import type { PodSpec } from '../../generated/types/core-v1.ts'
import { containersTogether } from '../../quota/pod-resources.ts'
import { isHugePages, isPodLevel, type ResourceList } from './resources.ts'
import { canOvercommit } from './resources.validate.ts'

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
  defaultLimits(spec, containersTogether({ spec }, 'limits'))
  const { limits = {}, requests = {} } = spec.resources
  if (!Object.keys(limits).length) return
  const filled: ResourceList = { ...requests }
  for (const [name, amount] of Object.entries(containersTogether({ spec }, 'requests'))) {
    if (isPodLevel(name) && canOvercommit(name)) filled[name] ??= amount
  }
  for (const [name, amount] of Object.entries(limits)) if (isPodLevel(name)) filled[name] ??= amount
  if (Object.keys(filled).length) spec.resources.requests = filled
}
