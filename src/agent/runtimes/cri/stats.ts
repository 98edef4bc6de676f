/** Usage as a CRI runtime measures it. */
import type { ContainerStats, ContainerStatus } from '../runtime.ts'
import type { CriContainerStats } from './messages.ts'

/** One container's usage. */
export function statsOf(
  { cpu, memory }: CriContainerStats,
  { id, podUid, name }: ContainerStatus,
  processes = 0,
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
    processes,
  }
}
