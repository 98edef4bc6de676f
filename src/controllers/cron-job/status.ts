/** What became of the jobs of a CronJob. */
import type { ObjectReference } from '../../api/generated/types/core-v1.ts'
import type { CronJob } from '../../api/kinds/batch/cron-job.ts'
import { Job } from '../../api/kinds/batch/job.ts'
import { parseTime, rfc3339 } from '../../api/machinery/time.ts'
import type { Note } from '../../control/plan.ts'

export const SCHEDULED = 'batch.kubernetes.io/cronjob-scheduled-timestamp'

/** `Complete` or `Failed` of a job that is over. */
export const endOf = (job: Job): 'Complete' | 'Failed' | undefined =>
  job.status?.conditions?.find(each => (each.type === 'Complete' || each.type === 'Failed') && each.status === 'True')
    ?.type as 'Complete' | 'Failed' | undefined

/** The name of the job of a time: nobody makes it twice. */
export const jobName = (cronJob: CronJob, time: number): string =>
  `${cronJob.metadata?.name}-${Math.floor(time / 60_000)}`

/** The time for which this controller made a job; undefined for one of somebody else. */
function scheduledTime(cronJob: CronJob, job: Job): number | undefined {
  const time = parseTime(job.metadata?.annotations?.[SCHEDULED])
  return time !== undefined && job.metadata?.name === jobName(cronJob, time) ? time : undefined
}

const referenceTo = ({ metadata }: Job): ObjectReference => ({
  apiVersion: Job.apiVersion,
  kind: Job.kind,
  name: metadata?.name ?? '',
  namespace: metadata?.namespace ?? '',
  resourceVersion: metadata?.resourceVersion ?? '',
  uid: metadata?.uid ?? '',
})

const note = (target: CronJob, reason: string, message: string, type: Note['type'] = 'Normal'): Note => ({
  target,
  type,
  reason,
  message,
})

/** The CronJob with the status that its jobs give it, and what changed. */
export function observed(cronJob: CronJob, jobs: readonly Job[]): { next: CronJob; notes: readonly Note[] } {
  const notes: Note[] = []
  const byUid = new Map(jobs.map(job => [job.metadata?.uid, job]))
  const active: ObjectReference[] = []
  let { lastScheduleTime, lastSuccessfulTime } = cronJob.status ?? {}
  for (const reference of cronJob.status?.active ?? []) {
    const job = byUid.get(reference.uid)
    const end = job && endOf(job)
    if (!job) notes.push(note(cronJob, 'MissingJob', `Active job went missing: ${reference.name}`))
    else if (end)
      notes.push(note(cronJob, 'SawCompletedJob', `Saw completed job: ${reference.name}, condition: ${end}`))
    else active.push(reference)
  }
  const known = new Set(cronJob.status?.active?.map(each => each.uid))
  for (const job of [...jobs].sort(byName)) {
    const time = scheduledTime(cronJob, job)
    if (time !== undefined && time > (parseTime(lastScheduleTime) ?? 0)) lastScheduleTime = rfc3339(time)
    const end = endOf(job)
    if (!end && !known.has(job.metadata?.uid)) {
      if (time !== undefined) active.push(referenceTo(job))
    }
    const completed = end === 'Complete' ? parseTime(job.status?.completionTime) : undefined
    if (completed !== undefined && completed > (parseTime(lastSuccessfulTime) ?? 0)) {
      lastSuccessfulTime = rfc3339(completed)
    }
  }
  const status = {
    ...(active.length > 0 && { active }),
    ...(lastScheduleTime && { lastScheduleTime }),
    ...(lastSuccessfulTime && { lastSuccessfulTime }),
  }
  return { next: { ...cronJob, status } as CronJob, notes }
}

const byName = (a: Job, b: Job) => ((a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1)

/** Jobs beyond the limits of the history, the oldest first. */
export function expired({ spec }: CronJob, jobs: readonly Job[]): Job[] {
  const beyond = (end: 'Complete' | 'Failed', limit: number | undefined) => {
    const ended = jobs.filter(job => endOf(job) === end).sort(byStart)
    return limit === undefined ? [] : ended.slice(0, Math.max(0, ended.length - limit))
  }
  return [...beyond('Complete', spec?.successfulJobsHistoryLimit), ...beyond('Failed', spec?.failedJobsHistoryLimit)]
}

function byStart(a: Job, b: Job): number {
  const left = parseTime(a.status?.startTime) ?? Number.POSITIVE_INFINITY
  const right = parseTime(b.status?.startTime) ?? Number.POSITIVE_INFINITY
  return left === right ? byName(a, b) : left - right
}
