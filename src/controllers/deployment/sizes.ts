/**
 * How many replicas each set may have: the arithmetic of rolling updates
 * (https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment).
 */
import type { Deployment } from '../../api/kinds/apps/deployment.ts'
import type { ReplicaSet } from '../../api/kinds/apps/replica-set.ts'
import { scaledValue } from '../../api/machinery/int-or-string.ts'
import { byCreation } from './template.ts'

/** Annotations of a set: the size that its Deployment wanted, and the most that it allowed, when it was last scaled. */
export const DESIRED = 'deployment.kubernetes.io/desired-replicas'
export const MAX = 'deployment.kubernetes.io/max-replicas'

/** The number in an annotation, where there is one. */
export function sizeIn(set: ReplicaSet, name: string): number | undefined {
  const text = set.metadata?.annotations?.[name]
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined
}

export const wanted = (deployment: Deployment) => deployment.spec?.replicas ?? 1
export const isRolling = (deployment: Deployment) => deployment.spec?.strategy?.type !== 'Recreate'
export const sizeOf = (set: ReplicaSet) => set.spec?.replicas ?? 1
export const isActiveSet = (set: ReplicaSet) => sizeOf(set) > 0
export const total = (sets: readonly ReplicaSet[]) => sets.reduce((sum, each) => sum + sizeOf(each), 0)
export const availableOf = (set: ReplicaSet) => set.status?.availableReplicas ?? 0

/** Pods beyond the wanted number, and pods that may be missing; never both 0. */
function bounds(deployment: Deployment) {
  const { maxSurge: surge = '25%', maxUnavailable: unavailable = '25%' } =
    deployment.spec?.strategy?.rollingUpdate ?? {}
  const up = scaledValue(surge, wanted(deployment), true)
  const down = scaledValue(unavailable, wanted(deployment), false)
  return { up, down: up === 0 && down === 0 ? 1 : down }
}

export const maxSurge = (deployment: Deployment) => (isRolling(deployment) ? bounds(deployment).up : 0)

export function maxUnavailable(deployment: Deployment): number {
  if (!isRolling(deployment) || wanted(deployment) === 0) return 0
  return Math.min(bounds(deployment).down, wanted(deployment))
}

/** Both annotations as they should be. */
export const sizeAnnotations = (deployment: Deployment) => ({
  [DESIRED]: String(wanted(deployment)),
  [MAX]: String(wanted(deployment) + maxSurge(deployment)),
})

/** Pods of a set: those it should have, and those it has not deleted yet. Upstream counts the former only. */
const occupied = (set: ReplicaSet) => Math.max(sizeOf(set), set.status?.replicas ?? 0)

/** How large the new set may be now. `sets` holds all, `current` its size. */
export function newSetSize(deployment: Deployment, sets: readonly ReplicaSet[], current: number): number {
  if (!isRolling(deployment)) return wanted(deployment)
  const room = wanted(deployment) + maxSurge(deployment) - sets.reduce((sum, each) => sum + occupied(each), 0)
  if (room <= 0) return current
  return current + Math.min(room, wanted(deployment) - current)
}

/** A set and the size that it should have. */
export interface Resize {
  readonly set: ReplicaSet
  readonly size: number
}

/** Shrinks old sets as far as availability allows: pods that are not available first. */
export function shrinkOld(deployment: Deployment, fresh: ReplicaSet, old: readonly ReplicaSet[]): Resize[] {
  if (total(old) === 0) return []
  const least = wanted(deployment) - maxUnavailable(deployment)
  const unavailable = sizeOf(fresh) - availableOf(fresh)
  const spare = total([...old, fresh]) - least - unavailable
  if (spare <= 0) return []
  const sizes = new Map(old.map(set => [set, sizeOf(set)]))
  const ordered = [...old].sort(byCreation)
  let dropped = 0
  for (const set of ordered) {
    if (dropped >= spare) break
    const size = sizes.get(set)!
    const broken = Math.min(spare - dropped, size - availableOf(set))
    if (size === 0 || broken <= 0) continue
    sizes.set(set, size - broken)
    dropped += broken
  }
  let surplus = [...old, fresh].reduce((sum, set) => sum + availableOf(set), 0) - least
  for (const set of ordered) {
    if (surplus <= 0) break
    const size = sizes.get(set)!
    const less = Math.min(size, surplus)
    sizes.set(set, size - less)
    surplus -= less
  }
  return changed(sizes)
}

const changed = (sizes: ReadonlyMap<ReplicaSet, number>): Resize[] =>
  [...sizes].filter(([set, size]) => size !== sizeOf(set)).map(([set, size]) => ({ set, size }))

/** The wanted number changed: the only active set takes it; several share the difference in proportion. */
export function scaleAll(deployment: Deployment, fresh: ReplicaSet | undefined, old: readonly ReplicaSet[]): Resize[] {
  const single = activeOrLatest(fresh, old)
  if (single) return sizeOf(single) === wanted(deployment) ? [] : [{ set: single, size: wanted(deployment) }]
  const activeOld = old.filter(isActiveSet)
  if (isSaturated(deployment, fresh)) return activeOld.map(set => ({ set, size: 0 }))
  if (!isRolling(deployment)) return []
  const active = [...activeOld, ...(fresh && isActiveSet(fresh) ? [fresh] : [])]
  const allowed = wanted(deployment) > 0 ? wanted(deployment) + maxSurge(deployment) : 0
  const toAdd = allowed - total(active)
  const newest = (a: ReplicaSet, b: ReplicaSet) => sizeOf(b) - sizeOf(a) || byCreation(b, a)
  const oldest = (a: ReplicaSet, b: ReplicaSet) => sizeOf(b) - sizeOf(a) || byCreation(a, b)
  const ordered = [...active].sort(toAdd > 0 ? newest : oldest)
  let added = 0
  const sizes = new Map<ReplicaSet, number>()
  for (const set of ordered) {
    const share = toAdd === 0 ? 0 : proportion(deployment, set, toAdd - added)
    sizes.set(set, sizeOf(set) + share)
    added += share
  }
  const first = ordered[0]
  if (first && toAdd !== 0) sizes.set(first, Math.max(sizes.get(first)! + toAdd - added, 0))
  return [...sizes].map(([set, size]) => ({ set, size }))
}

function activeOrLatest(fresh: ReplicaSet | undefined, old: readonly ReplicaSet[]): ReplicaSet | undefined {
  const active = [...old, ...(fresh ? [fresh] : [])].filter(isActiveSet)
  if (active.length > 1) return undefined
  return active[0] ?? fresh ?? [...old].sort((a, b) => byCreation(b, a))[0]
}

function isSaturated(deployment: Deployment, fresh: ReplicaSet | undefined): boolean {
  if (!fresh) return false
  const size = wanted(deployment)
  return sizeOf(fresh) === size && sizeIn(fresh, DESIRED) === size && availableOf(fresh) === size
}

/** A set's part of `left`, rounded; never more than `left`. */
function proportion(deployment: Deployment, set: ReplicaSet, left: number): number {
  if (left === 0 || sizeOf(set) === 0) return 0
  const share = fraction(deployment, set)
  return left > 0 ? Math.min(share, left) : Math.max(share, left)
}

function fraction(deployment: Deployment, set: ReplicaSet): number {
  if (wanted(deployment) === 0) return -sizeOf(set)
  const before = sizeIn(set, MAX) || (deployment.status?.replicas ?? 0)
  if (before === 0) return 0
  return Math.round((sizeOf(set) * (wanted(deployment) + maxSurge(deployment))) / before) - sizeOf(set)
}
