/** In which order pods end when the machine shuts down, and how long they have (KEP-2000, KEP-2712). Pure. */
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { SYSTEM_PRIORITIES } from '../../api/kinds/scheduling/system-priorities.ts'

/** Pods of this priority, and of all up to the next one that is named, end together within so many seconds. */
export interface ShutdownPeriod {
  readonly priority: number
  readonly seconds: number
}

/** The two groups of KubeletConfiguration's plain fields: critical pods last. None where there is no time at all. */
export function plainPeriods(totalMs: number, criticalMs: number): ShutdownPeriod[] {
  if (totalMs === 0) return []
  return [
    { priority: 0, seconds: Math.floor((totalMs - criticalMs) / 1000) },
    { priority: SYSTEM_PRIORITIES['system-cluster-critical'], seconds: Math.floor(criticalMs / 1000) },
  ]
}

/** All periods one after the other, ms. */
export const wholePeriod = (periods: readonly ShutdownPeriod[]): number =>
  periods.reduce((sum, { seconds }) => sum + seconds * 1000, 0)

/** Pods in groups, the lowest priority first; those below the lowest period belong to it. Empty groups are left out. */
export function inOrderOfShutdown<T extends { pod(): Pod }>(
  periods: readonly ShutdownPeriod[],
  pods: readonly T[],
): { readonly seconds: number; readonly members: readonly T[] }[] {
  const sorted = periods.toSorted((a, b) => a.priority - b.priority)
  const groups = sorted.map(({ seconds }) => ({ seconds, members: [] as T[] }))
  for (const each of pods) {
    const priority = each.pod().spec?.priority ?? 0
    const at = sorted.findLastIndex(period => period.priority <= priority)
    groups[Math.max(at, 0)]?.members.push(each)
  }
  return groups.filter(({ members }) => members.length > 0)
}
