/**
 * Counting pods exactly once, though they may vanish at any time (KEP-2307): a finished pod is first noted in the
 * status, then loses its finalizer, and then moves from the note to the counter. Each step is a pass of its own.
 */
import type { Job } from '../../api/kinds/batch/job.ts'
import { isFinished } from '../../api/kinds/core/finished.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import type { Write } from '../../control/plan.ts'
import { isActive, isTerminating } from '../pods.ts'
import { judgeFailure } from './failure-policy.ts'
import { formatIndexes, parseIndexes } from './indexes.ts'
import { failed, indexOf, isIndexed, isTracked, succeeded, TRACKING } from './pods.ts'

export interface Tally {
  readonly active: readonly Pod[]
  /** Being deleted and not finished yet. */
  readonly terminating: number
  /** All that ever succeeded; of an indexed Job the number of its completed indexes. */
  readonly succeeded: number
  readonly failed: number
  readonly completed: ReadonlySet<number>
  /** Indexes that are given up, by backoffLimitPerIndex or a rule. */
  readonly failedIndexes: ReadonlySet<number>
  /** Why the failure policy ends the Job. */
  readonly verdict: string | undefined
  /** Finalizers to remove: these pods are noted, or are not to be counted. */
  readonly releases: readonly Write[]
  /** Counters and notes as they should stand. */
  readonly status: {
    readonly succeeded: number
    readonly failed: number
    readonly completedIndexes: string | undefined
    readonly failedIndexes: string | undefined
    readonly uncounted: { readonly succeeded: readonly string[]; readonly failed: readonly string[] }
  }
}

export const release = (pod: Pod): Write => ({
  type: 'patch',
  resource: Pod,
  object: pod,
  patch: {
    metadata: {
      resourceVersion: pod.metadata?.resourceVersion,
      finalizers: (pod.metadata?.finalizers ?? []).filter(each => each !== TRACKING),
    },
  },
})

const uidOf = (pod: Pod) => pod.metadata?.uid ?? ''

/** Takes stock of a Job's pods. `ending`: active pods are on their way out and count as failed once they are. */
export function takeStock(job: Job, pods: readonly Pod[]): Tally {
  const limit = job.spec?.completions ?? 0
  const byUid = new Map(pods.map(pod => [uidOf(pod), pod]))
  const notes = job.status?.uncountedTerminatedPods ?? {}
  const noted = { succeeded: new Set<string>(notes.succeeded), failed: new Set<string>(notes.failed) }
  const indexes = parseIndexes(job.status?.completedIndexes, limit)
  const counted = { succeeded: job.status?.succeeded ?? 0, failed: job.status?.failed ?? 0 }
  const releases: Write[] = []
  const lost = parseIndexes(job.status?.failedIndexes, limit)
  const failuresOf = new Map<number, number>()
  let verdict: string | undefined
  const ignored = (pod: Pod) => {
    const found = judgeFailure(job, pod)
    if (found.action === 'FailJob') verdict ??= found.message
    return found.action === 'Ignore'
  }

  // What was noted and has no finalizer any more is counted.
  for (const outcome of ['succeeded', 'failed'] as const) {
    for (const uid of noted[outcome]) {
      const pod = byUid.get(uid)
      if (pod && isTracked(pod)) {
        releases.push(release(pod))
        if (outcome === 'failed') ignored(pod)
      } else {
        noted[outcome].delete(uid)
        counted[outcome]++
      }
    }
  }
  // What finished since is noted; an index that is complete needs no note.
  for (const pod of pods) {
    const uid = uidOf(pod)
    if (!isTracked(pod) || noted.succeeded.has(uid) || noted.failed.has(uid)) continue
    if (succeeded(pod)) {
      if (!isIndexed(job)) noted.succeeded.add(uid)
      else {
        const index = indexOf(pod)
        if (indexes.has(index) || index < 0 || index >= limit) releases.push(release(pod))
        else indexes.add(index)
      }
    } else if (failed(job, pod)) {
      if (ignored(pod)) releases.push(release(pod))
      else noted.failed.add(uid)
    }
  }
  const perIndex = job.spec?.backoffLimitPerIndex
  if (perIndex !== undefined) {
    for (const pod of pods) {
      const index = indexOf(pod)
      if (index < 0 || index >= limit || !failed(job, pod)) continue
      const { action } = judgeFailure(job, pod)
      const failures = (failuresOf.get(index) ?? 0) + (action === 'Ignore' ? 0 : 1)
      failuresOf.set(index, failures)
      if (!indexes.has(index) && (action === 'FailIndex' || failures > perIndex)) lost.add(index)
    }
  }
  return {
    active: pods.filter(isActive),
    terminating: pods.filter(pod => isTerminating(pod) && !isFinished(pod)).length,
    succeeded: isIndexed(job) ? indexes.size : counted.succeeded + noted.succeeded.size,
    failed: counted.failed + noted.failed.size,
    completed: indexes,
    failedIndexes: lost,
    verdict,
    releases,
    status: {
      succeeded: isIndexed(job) ? indexes.size : counted.succeeded,
      failed: counted.failed,
      completedIndexes: isIndexed(job) ? formatIndexes(indexes) : undefined,
      failedIndexes: perIndex === undefined ? undefined : formatIndexes(lost),
      uncounted: { succeeded: [...noted.succeeded], failed: [...noted.failed] },
    },
  }
}
