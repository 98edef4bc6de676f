import type { JobCondition, JobStatus } from '../../api/generated/types/batch-v1.ts'
import { Job } from '../../api/kinds/batch/job.ts'
import { isFinished } from '../../api/kinds/core/finished.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { isReady } from '../../api/kinds/core/ready.ts'
import { selectorFromLabelSelector } from '../../api/machinery/label-selector.ts'
import { parseTime, rfc3339 } from '../../api/machinery/time.ts'
import type { View } from '../../control/controller.ts'
import { after, done, type Note, type Plan, type Requeue, sooner, type Write } from '../../control/plan.ts'
import { equalJson } from '../../lib/json.ts'
import { conditionOf, omitEmpty } from '../conditions.ts'
import { claim } from '../owner.ts'
import { podCreation, podDeletion } from '../pod-writes.ts'
import { deletionOrder, isTerminating, maxRestarts } from '../pods.ts'
import { parseIndexes } from './indexes.ts'
import { failed, finishedAt, indexOf, isIndexed, isTracked, jobPod, ownerUid, succeeded, TRACKING } from './pods.ts'
import { release, type Tally, takeStock } from './tally.ts'

/** Pods made or deleted in one pass (upstream's MaxPodCreateDeletePerSync). */
const BURST = 500
/** Wait after a failed pod, ms: doubles with each one in a row. */
const BACK_OFF_MS = 10_000
const BACK_OFF_MAX_MS = 600_000

/** Why a Job ends. */
interface Ending {
  readonly type: 'Complete' | 'Failed'
  readonly reason: string
  readonly message: string
}

const isOver = (job: Job) =>
  job.status?.conditions?.some(each => (each.type === 'Complete' || each.type === 'Failed') && each.status === 'True')

/** Plans the pods of a Job, the counting of finished ones, and its status. */
export function reconcile(job: Job, view: View, now: number): Plan {
  if (job.spec?.managedBy && job.spec.managedBy !== 'kubernetes.io/job-controller') return {}
  const pods = view.of(Pod)
  const selector = selectorFromLabelSelector(job.spec?.selector)
  const { children, writes } = claim({
    owner: job,
    ownerResource: Job,
    resource: Pod,
    owned: pods.byIndex('owner', job.metadata?.uid ?? ''),
    orphans: pods.byIndex('uncontrolled', job.metadata?.namespace ?? ''),
    matches: pod => selector.matches(pod.metadata?.labels),
    finalizer: TRACKING,
  })
  const strays = straysOf(`${job.metadata?.namespace}/${job.metadata?.name}`, view, job.metadata?.uid)
  if (writes.length + strays.length > 0) return { writes: [...writes, ...strays] }
  if (isOver(job)) return { writes: children.filter(isTracked).map(release) }

  const tally = takeStock(job, children)
  const ending = endingOf(job, children, tally, now)
  const next = withStatus(job, children, tally, ending, now)
  // What has ended is noted before anything else happens, so that it cannot be lost.
  if (!equalJson(next.status?.uncountedTerminatedPods, job.status?.uncountedTerminatedPods ?? {})) {
    return { status: next, notes: notesOf(job, next) }
  }
  const planned = manage(job, tally, ending, children, now)
  return {
    writes: [...tally.releases, ...planned.writes],
    status: next,
    notes: tally.releases.length + planned.writes.length > 0 ? [] : notesOf(job, next),
    requeue: sooner(planned.requeue, deadlineOf(job, now)),
  }
}

/** The Job is gone: its pods need not be counted any more. */
export const absent = (key: string, view: View): Plan => ({ writes: straysOf(key, view, undefined) })

/** Tracked pods of a Job of this name that no longer exists. */
const straysOf = (key: string, view: View, uid: string | undefined): Write[] =>
  view
    .of(Pod)
    .byIndex('job', key)
    .filter(pod => isTracked(pod) && ownerUid(pod) !== uid)
    .map(release)

const wantedPods = (job: Job) => job.spec?.parallelism ?? 1

/** Why the Job must end now, or was already said to end. */
function endingOf(job: Job, pods: readonly Pod[], tally: Tally, now: number): Ending | undefined {
  const target = conditionOf(job.status?.conditions, 'FailureTarget')
  if (target?.status === 'True') return { type: 'Failed', reason: target.reason ?? '', message: target.message ?? '' }
  const success: Ending = {
    type: 'Complete',
    reason: 'CompletionsReached',
    message: 'Reached expected number of succeeded pods',
  }
  const met = conditionOf(job.status?.conditions, 'SuccessCriteriaMet')
  if (met?.status === 'True') return { type: 'Complete', reason: met.reason ?? '', message: met.message ?? '' }
  if (tally.verdict) return { type: 'Failed', reason: 'PodFailurePolicy', message: tally.verdict }
  const limit = job.spec?.backoffLimit ?? 6
  if (tally.failed > limit || restartsExceed(job, pods, limit)) {
    const message = 'Job has reached the specified backoff limit'
    return { type: 'Failed', reason: 'BackoffLimitExceeded', message }
  }
  const { maxFailedIndexes } = job.spec ?? {}
  if (maxFailedIndexes !== undefined && tally.failedIndexes.size > maxFailedIndexes) {
    const message = 'Job has exceeded the specified maximal number of failed indexes'
    return { type: 'Failed', reason: 'MaxFailedIndexesExceeded', message }
  }
  const deadline = deadlineTime(job)
  if (deadline !== undefined && deadline <= now) {
    const message = 'Job was active longer than specified deadline'
    return { type: 'Failed', reason: 'DeadlineExceeded', message }
  }
  const rule = matchedRule(job, tally)
  if (rule >= 0) return { type: 'Complete', reason: 'SuccessPolicy', message: `Matched rules at index ${rule}` }
  const { completions } = job.spec ?? {}
  if (tally.failedIndexes.size > 0 && tally.succeeded + tally.failedIndexes.size >= (completions ?? 0)) {
    return { type: 'Failed', reason: 'FailedIndexes', message: 'Job has failed indexes' }
  }
  const isComplete =
    completions === undefined
      ? tally.succeeded > 0 && tally.active.length === 0
      : tally.succeeded >= completions && (completions > 0 || tally.active.length === 0)
  return isComplete ? success : undefined
}

/** The first rule of spec.successPolicy that holds; -1: none (KEP-3998). */
function matchedRule(job: Job, tally: Tally): number {
  const limit = job.spec?.completions ?? 0
  return (job.spec?.successPolicy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount }) => {
    const named = succeededIndexes === undefined ? undefined : parseIndexes(succeededIndexes, limit)
    const there = named ? [...named].filter(index => tally.completed.has(index)).length : tally.completed.size
    return there >= (succeededCount ?? named?.size ?? limit)
  })
}

/** With restarts in place, it is the containers that count. */
function restartsExceed(job: Job, pods: readonly Pod[], limit: number): boolean {
  if (job.spec?.template?.spec?.restartPolicy !== 'OnFailure') return false
  const restarts = pods
    .filter(pod => pod.status?.phase === 'Running' || pod.status?.phase === 'Pending')
    .reduce((sum, pod) => sum + maxRestarts(pod), 0)
  return limit === 0 ? restarts > 0 : restarts >= limit
}

function deadlineTime(job: Job): number | undefined {
  const { activeDeadlineSeconds: seconds, suspend } = job.spec ?? {}
  const start = parseTime(job.status?.startTime)
  return seconds === undefined || start === undefined || suspend ? undefined : start + seconds * 1000
}

function deadlineOf(job: Job, now: number): Requeue {
  const deadline = deadlineTime(job)
  return deadline === undefined || deadline <= now ? done : after(deadline - now)
}

interface Managed {
  readonly writes: readonly Write[]
  readonly requeue: Requeue
}

/** Pods to make and delete. */
function manage(job: Job, tally: Tally, ending: Ending | undefined, pods: readonly Pod[], now: number): Managed {
  const none: Managed = { writes: [], requeue: done }
  if (job.metadata?.deletionTimestamp) return none
  if (ending || job.spec?.suspend) return { writes: deletes(job, tally.active), requeue: done }
  const { completions } = job.spec ?? {}
  const active = tally.active.length
  let wanted = wantedPods(job)
  if (completions !== undefined)
    wanted = Math.min(Math.max(completions - tally.succeeded - tally.failedIndexes.size, 0), wanted)
  else if (tally.succeeded > 0) wanted = active
  const surplus = surplusOf(job, tally, wanted, now)
  if (surplus.length > 0) return { writes: deletes(job, surplus), requeue: done }
  const waiting = job.spec?.podReplacementPolicy === 'Failed' || job.spec?.podFailurePolicy ? tally.terminating : 0
  const missing = Math.min(wanted - active - waiting, BURST)
  if (missing <= 0) return none
  const wait = backOff(job, pods, now)
  if (wait > 0) return { writes: [], requeue: after(wait) }
  const indexes = isIndexed(job) ? freeIndexes(job, tally, missing) : Array.from({ length: missing }, () => undefined)
  return { writes: indexes.map(index => creation(job, index)), requeue: done }
}

/** Active pods that are too many: for an index that has one, is complete or does not exist, or beyond the number. */
function surplusOf(job: Job, tally: Tally, wanted: number, now: number): readonly Pod[] {
  const ordered = deletionOrder(tally.active, () => 0, now)
  if (!isIndexed(job)) return ordered.slice(0, Math.max(tally.active.length - wanted, 0))
  const taken = new Set<number>()
  const surplus: Pod[] = []
  for (const pod of ordered.toReversed()) {
    const index = indexOf(pod)
    const isFree =
      index >= 0 && index < (job.spec?.completions ?? 0) && !tally.completed.has(index) && !taken.has(index)
    if (isFree && taken.size < wanted) taken.add(index)
    else surplus.push(pod)
  }
  return surplus
}

function freeIndexes(job: Job, tally: Tally, count: number): number[] {
  const taken = new Set(tally.active.map(indexOf))
  const result: number[] = []
  for (let index = 0; index < (job.spec?.completions ?? 0) && result.length < count; index++) {
    if (!taken.has(index) && !tally.completed.has(index) && !tally.failedIndexes.has(index)) result.push(index)
  }
  return result
}

/** Milliseconds until another pod may be tried: failures since the last success make it longer. */
function backOff(job: Job, pods: readonly Pod[], now: number): number {
  const lastSuccess = Math.max(0, ...pods.filter(succeeded).map(finishedAt))
  const failures = pods.filter(pod => failed(job, pod) && finishedAt(pod) > lastSuccess)
  if (failures.length === 0) return 0
  const delay = Math.min(BACK_OFF_MS * 2 ** Math.min(failures.length - 1, 20), BACK_OFF_MAX_MS)
  return Math.max(Math.max(...failures.map(finishedAt)) + delay - now, 0)
}

const told = (job: Job, type: Note['type'], reason: string, message: string): Note => ({
  target: job,
  type,
  reason,
  message,
})

const creation = (job: Job, index: number | undefined): Write => podCreation(job, jobPod(job, index))

const deletes = (job: Job, pods: readonly Pod[]): Write[] => pods.slice(0, BURST).map(pod => podDeletion(job, pod))

function withStatus(job: Job, pods: readonly Pod[], tally: Tally, ending: Ending | undefined, now: number): Job {
  const time = rfc3339(now)
  const old = job.status ?? {}
  const suspended = Boolean(job.spec?.suspend) && !ending
  const resumed = !suspended && conditionOf(old.conditions, 'Suspended')?.status === 'True'
  // The last condition waits until no pod is left that could still do something.
  const isQuiet = pods.every(pod => isFinished(pod) || (isTerminating(pod) && !isTracked(pod)))
  const isCounted = tally.status.uncounted.succeeded.length + tally.status.uncounted.failed.length === 0
  const isFinal = ending !== undefined && isQuiet && isCounted && tally.releases.length === 0
  const uncounted = omitEmpty({
    succeeded: [...tally.status.uncounted.succeeded],
    failed: [...tally.status.uncounted.failed],
  })
  const status: JobStatus = {
    ...omitEmpty<JobStatus>({
      active: tally.active.length,
      succeeded: tally.status.succeeded,
      failed: tally.status.failed,
      completedIndexes: tally.status.completedIndexes ?? '',
      failedIndexes: tally.status.failedIndexes ?? '',
      conditions: conditions(old.conditions ?? [], ending, isFinal, suspended, resumed, now),
    }),
    terminating: tally.terminating,
    ready: tally.active.filter(isReady).length,
    uncountedTerminatedPods: uncounted,
    ...(isFinal && ending.type === 'Complete' && { completionTime: time }),
  }
  const start = resumed ? time : (old.startTime ?? (suspended ? undefined : time))
  return { ...job, status: { ...status, ...(start && { startTime: start }) } }
}

function conditions(
  old: readonly JobCondition[],
  ending: Ending | undefined,
  isFinal: boolean,
  suspended: boolean,
  resumed: boolean,
  now: number,
): JobCondition[] {
  const time = rfc3339(now)
  let result = [...old]
  const put = (type: string, status: 'True' | 'False', reason: string, message: string) => {
    const known = conditionOf(result, type)
    if (known?.status === status) return
    const next = { type, status, reason, message, lastProbeTime: time, lastTransitionTime: time } as JobCondition
    result = known ? result.map(each => (each.type === type ? next : each)) : [...result, next]
  }
  if (suspended) put('Suspended', 'True', 'JobSuspended', 'Job suspended')
  else if (resumed) put('Suspended', 'False', 'JobResumed', 'Job resumed')
  if (ending)
    put(ending.type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget', 'True', ending.reason, ending.message)
  if (ending && isFinal) put(ending.type, 'True', ending.reason, ending.message)
  return result
}

/** Events for the conditions that are new. */
function notesOf(job: Job, next: Job): Note[] {
  const isNew = (type: string, status: string) =>
    conditionOf(next.status?.conditions, type)?.status === status &&
    conditionOf(job.status?.conditions, type)?.status !== status
  const ended = conditionOf(next.status?.conditions, 'Failed')
  return [
    ...(isNew('Suspended', 'True') ? [told(job, 'Normal', 'Suspended', 'Job suspended')] : []),
    ...(isNew('Suspended', 'False') ? [told(job, 'Normal', 'Resumed', 'Job resumed')] : []),
    ...(isNew('Complete', 'True') ? [told(job, 'Normal', 'Completed', 'Job completed')] : []),
    ...(isNew('Failed', 'True') ? [told(job, 'Warning', ended?.reason ?? '', ended?.message ?? '')] : []),
  ]
}
