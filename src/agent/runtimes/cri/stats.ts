/** Usage as a CRI runtime measures it. */
import type { GroupUsage } from '../../cgroups/reading.ts'
import type { ContainerStats, ContainerStatus } from '../runtime.ts'
import type { CriContainerStats } from './messages.ts'

/** One container's usage. `group` is what the kernel tells of it, where that is known. */
export function statsOf(
  { cpu, memory }: CriContainerStats,
  { id, podUid, name }: ContainerStatus,
  group: GroupUsage | undefined,
): ContainerStats {
  const workingSet = memory?.workingSetBytes?.value ?? 0
  return {
    id,
    podUid,
    name,
    timestamp: Math.floor((cpu?.timestamp ?? 0) / 1e6),
    cpuUsage: cpu?.usageCoreNanoSeconds?.value ?? 0,
    memoryWorkingSet: workingSet,
    memoryUsage: memory?.usageBytes?.value || workingSet,
    processes: group?.processes ?? 0,
    ...(group && { details: group }),
  }
}
