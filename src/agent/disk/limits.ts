/** What a pod may have on the node's disk (API doc: ephemeral-storage, EmptyDirVolumeSource.sizeLimit). Pure. */
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { quantityValue } from '../../api/machinery/quantity.ts'
import { isCritical } from '../pod/object.ts'

/** Bytes that a pod has on disk: in volumes and containers by name, and all of them with what else is the pod's. */
export interface DiskUsage {
  readonly volumes: ReadonlyMap<string, number>
  readonly containers: ReadonlyMap<string, number>
  readonly total: number
  /** What of it containers have written beside volumes and logs, as their runtime counts it. */
  readonly layers: number
}

const STORAGE = 'ephemeral-storage'

interface Limit {
  readonly bytes: number
  /** As it was written. */
  readonly text: string
  used(usage: DiskUsage): number
  message(): string
}

/** Limits of a pod, in the order in which the kubelet looks at them. */
function limitsOf({ spec }: Pod): Limit[] {
  const limits: Limit[] = []
  const add = (text: string | undefined, used: Limit['used'], message: (text: string) => string) => {
    const bytes = text === undefined ? 0 : quantityValue(text)
    if (text !== undefined && bytes > 0) limits.push({ bytes, text, used, message: () => message(text) })
  }
  for (const { name, emptyDir } of spec?.volumes ?? []) {
    // One in memory is as large as its file system.
    if (!emptyDir?.sizeLimit || emptyDir.medium === 'Memory') continue
    add(
      emptyDir.sizeLimit,
      usage => usage.volumes.get(name) ?? 0,
      text => `Usage of EmptyDir volume ${JSON.stringify(name)} exceeds the limit ${JSON.stringify(text)}. `,
    )
  }
  const containers = spec?.containers ?? []
  const limited = containers.flatMap(each => each.resources?.limits?.[STORAGE] ?? [])
  if (limited.length > 0) {
    const [first = ''] = limited
    const bytes = limited.reduce((sum, each) => sum + quantityValue(each), 0)
    const text = limited.length === 1 ? first : String(bytes)
    const message = () => `Pod ephemeral local storage usage exceeds the total limit of containers ${text}. `
    limits.push({ bytes, text, used: usage => usage.total, message })
  }
  for (const { name, resources } of containers) {
    add(
      resources?.limits?.[STORAGE],
      usage => usage.containers.get(name) ?? 0,
      text => `Container ${name} exceeded its local ephemeral storage limit ${JSON.stringify(text)}. `,
    )
  }
  return limits
}

/** Whether the pod has a limit that is looked after: the node's own and critical pods are let be. */
export const isLimited = (pod: Pod): boolean => !isCritical(pod) && limitsOf(pod).length > 0

/** Why a pod must go, as the kubelet says it; undefined: it may stay. */
export const excess = (pod: Pod, usage: DiskUsage): string | undefined =>
  limitsOf(pod)
    .find(limit => limit.used(usage) > limit.bytes)
    ?.message()

/** How many bytes the pod can write at least before it breaks a limit. */
export const headroom = (pod: Pod, usage: DiskUsage): number =>
  Math.min(...limitsOf(pod).map(limit => limit.bytes - limit.used(usage)))
