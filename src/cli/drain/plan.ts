/**
 * Which pods of a node a drain evicts, which it leaves, and which keep it from beginning, as `kubectl drain` has it.
 * Pure.
 */
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { isFinished } from '../../api/kinds/core/finished.ts'

export interface DrainOptions {
  readonly ignoreDaemonSets: boolean
  readonly deleteEmptyDirData: boolean
  /** Pods that nobody will make again go, too. */
  readonly force: boolean
}

export interface DrainPlan {
  readonly evict: readonly Pod[]
  /** Sentences of what keeps the drain from beginning. */
  readonly obstacles: readonly string[]
  /** Sentences of what goes or stays nevertheless. */
  readonly warnings: readonly string[]
}

const MIRROR = 'kubernetes.io/config.mirror'

const title = ({ metadata }: Pod) => `${metadata?.namespace}/${metadata?.name}`
const ownerOf = ({ metadata }: Pod) => metadata?.ownerReferences?.find(each => each.controller)
const hasScratch = ({ spec }: Pod) => spec?.volumes?.some(({ emptyDir }) => emptyDir !== undefined) ?? false

/** `daemonSets` are those that exist, as `namespace/name`: pods of one that is gone are nobody's. */
export function planDrain(pods: readonly Pod[], daemonSets: ReadonlySet<string>, options: DrainOptions): DrainPlan {
  const evict: Pod[] = []
  const daemons: string[] = []
  const scratch: string[] = []
  const unmanaged: string[] = []
  for (const pod of pods) {
    if (pod.metadata?.annotations?.[MIRROR] !== undefined) continue
    const owner = ownerOf(pod)
    if (owner?.kind === 'DaemonSet' && !isFinished(pod)) {
      // Its controller would put it back at once: a cordon does not hold it off.
      if (daemonSets.has(`${pod.metadata?.namespace}/${owner.name}`)) {
        daemons.push(title(pod))
        continue
      }
      unmanaged.push(title(pod))
    } else if (!owner && !isFinished(pod)) unmanaged.push(title(pod))
    if (hasScratch(pod) && !isFinished(pod)) scratch.push(title(pod))
    evict.push(pod)
  }
  const obstacles: string[] = []
  const warnings: string[] = []
  const judge = (found: readonly string[], allowed: boolean, obstacle: string, warning: string) => {
    if (found.length) (allowed ? warnings : obstacles).push(`${allowed ? warning : obstacle}: ${found.join(', ')}`)
  }
  judge(
    daemons,
    options.ignoreDaemonSets,
    'cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)',
    'ignoring DaemonSet-managed Pods',
  )
  judge(
    scratch,
    options.deleteEmptyDirData,
    'cannot delete Pods with local storage (use --delete-emptydir-data to override)',
    'deleting Pods with local storage',
  )
  judge(
    unmanaged,
    options.force,
    'cannot delete Pods that declare no controller (use --force to override)',
    'deleting Pods that declare no controller',
  )
  return { evict, obstacles, warnings }
}
