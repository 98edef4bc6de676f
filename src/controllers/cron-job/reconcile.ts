import type { CronJob } from '../../api/kinds/batch/cron-job.ts'
import { CronJob as CronJobKind } from '../../api/kinds/batch/cron-job.ts'
import { Job } from '../../api/kinds/batch/job.ts'
import { checkTimeZone, parseSchedule, type Schedule } from '../../api/machinery/cron.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import { objectKey } from '../../client/informer-types.ts'
import type { View } from '../../control/controller.ts'
import { after, done, type Note, type Plan, type Write } from '../../control/plan.ts'
import { equalJson } from '../../lib/json.ts'
import { controllerReference } from '../owner.ts'
import { dueNow, nextIn } from './due.ts'
import { endOf, expired, jobName, observed, SCHEDULED } from './status.ts'

/** Plans the next job of a CronJob, and clears away old ones. What its jobs did is told before anything is started. */
export function reconcile(cronJob: CronJob, view: View, now: number): Plan {
  const jobs = view.of(Job).byIndex('owner', cronJob.metadata?.uid ?? '')
  const { next, notes } = observed(cronJob, jobs)
  if (!equalJson(next.status, cronJob.status ?? {})) return { status: next, notes }
  const old = expired(cronJob, jobs).filter(job => !job.metadata?.deletionTimestamp)
  if (old.length > 0) return { writes: old.map(job => remove(cronJob, job)) }
  if (cronJob.metadata?.deletionTimestamp) return {}
  const { schedule, problem } = scheduleOf(cronJob)
  if (problem) return { notes: [problem] }
  if (cronJob.spec?.suspend || !schedule) return {}
  return start(cronJob, schedule, jobs, view, now)
}

function warning(target: CronJob, reason: string, message: string): Note {
  return { target, type: 'Warning', reason, message }
}

function scheduleOf(cronJob: CronJob): { schedule?: Schedule; problem?: Note } {
  const { schedule = '', timeZone } = cronJob.spec ?? {}
  try {
    if (timeZone !== undefined) checkTimeZone(timeZone)
  } catch (error) {
    const message = `invalid timeZone: ${JSON.stringify(timeZone)}: ${(error as Error).message}`
    return { problem: warning(cronJob, 'UnknownTimeZone', message) }
  }
  try {
    return { schedule: parseSchedule(schedule, timeZone) }
  } catch (error) {
    const message = `unparseable schedule: ${JSON.stringify(schedule)} : ${(error as Error).message}`
    return { problem: warning(cronJob, 'UnparseableSchedule', message) }
  }
}

/** Starts the job of the last time that has passed, unless it is too late or another one is in the way. */
function start(cronJob: CronJob, schedule: Schedule, jobs: readonly Job[], view: View, now: number): Plan {
  const { startingDeadlineSeconds, concurrencyPolicy, schedule: text = '' } = cronJob.spec ?? {}
  const notes: Note[] = []
  let time: number | undefined
  try {
    const due = dueNow(cronJob, schedule, now)
    time = due.missed
    if (due.isMany && time !== undefined) notes.push(tooMany(cronJob))
  } catch (error) {
    return { notes: [warning(cronJob, 'InvalidSchedule', `invalid schedule: ${text} : ${(error as Error).message}`)] }
  }
  const wait = nextIn(cronJob, schedule, now)
  const requeue = wait === undefined ? done : after(wait)
  if (time === undefined) return { requeue }
  if (startingDeadlineSeconds !== undefined && time + startingDeadlineSeconds * 1000 < now) {
    const message = `Missed scheduled time to start a job: ${rfc1123(time)}`
    return { notes: [...notes, warning(cronJob, 'MissSchedule', message)], requeue }
  }
  const name = jobName(cronJob, time)
  const isServed =
    cronJob.status?.lastScheduleTime === rfc3339(time) ||
    view.of(Job).get(objectKey(cronJob.metadata?.namespace, name)) !== undefined
  if (isServed) return { requeue }
  const active = jobs.filter(job => !endOf(job) && cronJob.status?.active?.some(each => each.uid === job.metadata?.uid))
  if (concurrencyPolicy === 'Forbid' && active.length > 0) return { notes: [...notes, alreadyActive(cronJob)], requeue }
  const replaced = concurrencyPolicy === 'Replace' ? active.map(job => remove(cronJob, job)) : []
  return { writes: [...replaced, create(cronJob, name, time)], notes, requeue }
}

const tooMany = (cronJob: CronJob) =>
  warning(
    cronJob,
    'TooManyMissedTimes',
    'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
  )

const alreadyActive = (target: CronJob): Note => ({
  target,
  type: 'Normal',
  reason: 'JobAlreadyActive',
  message: 'Not starting job because prior execution is running and concurrency policy is Forbid',
})

/** `Thu, 01 Jan 2026 00:00:00 +0000`. */
const rfc1123 = (time: number) => new Date(time).toUTCString().replace('GMT', '+0000')

/** RFC 3339 in the time zone of the CronJob. */
function zonedTime(time: number, timeZone: string | undefined): string {
  if (!timeZone) return rfc3339(time)
  const parts = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' }).formatToParts(time)
  const offset = parts.find(each => each.type === 'timeZoneName')?.value.replace('GMT', '') ?? ''
  if (offset === '') return rfc3339(time)
  const [hours = 0, minutes = 0] = offset.slice(1).split(':').map(Number)
  const shift = (hours * 60 + minutes) * 60_000 * (offset.startsWith('-') ? -1 : 1)
  return rfc3339(time + shift).replace('Z', offset)
}

function create(cronJob: CronJob, name: string, time: number): Write {
  const { metadata = {}, spec } = cronJob.spec?.jobTemplate ?? {}
  const object = {
    apiVersion: Job.apiVersion,
    kind: Job.kind,
    metadata: {
      name,
      ...(cronJob.metadata?.namespace && { namespace: cronJob.metadata.namespace }),
      ...(metadata.labels && { labels: metadata.labels }),
      annotations: { ...metadata.annotations, [SCHEDULED]: zonedTime(time, cronJob.spec?.timeZone) },
      ownerReferences: [controllerReference(CronJobKind, cronJob)],
    },
    ...(spec && { spec }),
  }
  return {
    type: 'create',
    resource: Job,
    object,
    done: () => ({ target: cronJob, type: 'Normal', reason: 'SuccessfulCreate', message: `Created job ${name}` }),
    failed: error => warning(cronJob, 'FailedCreate', `Error creating job: ${error.message}`),
  }
}

function remove(cronJob: CronJob, job: Job): Write {
  const message = `Deleted job ${job.metadata?.name}`
  return {
    type: 'delete',
    resource: Job,
    object: job,
    options: { propagationPolicy: 'Background' },
    done: () => ({ target: cronJob, type: 'Normal', reason: 'SuccessfulDelete', message }),
    failed: error => warning(cronJob, 'FailedDelete', `Deleted job: ${error.message}`),
  }
}
