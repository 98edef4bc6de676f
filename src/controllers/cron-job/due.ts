/** When a CronJob is due: the latest time that was missed, and the next one. */
import type { CronJob } from '../../api/kinds/batch/cron-job.ts'
import type { Schedule } from '../../api/machinery/cron.ts'
import { parseTime } from '../../api/machinery/time.ts'

/** A timer may ring early by the clock of another machine, ms. */
const LATE_MS = 100
/** So many missed times are worth a warning. */
const MANY = 100

export interface Due {
  /** The most recent time that has passed and was not served; ms since the epoch. */
  readonly missed: number | undefined
  /** Many more were missed before it. */
  readonly isMany: boolean
}

/** The time from which on schedules count: the last that was served, or the creation. */
function earliestOf(job: CronJob, now: number, withDeadline: boolean): number {
  const since = parseTime(job.status?.lastScheduleTime ?? job.metadata?.creationTimestamp) ?? now
  const seconds = job.spec?.startingDeadlineSeconds
  return withDeadline && seconds !== undefined ? Math.max(since, now - seconds * 1000) : since
}

/**
 * The most recent time between `earliest` and `now`. The number of missed times is estimated by the first interval, so
 * that years of them cost no more than a few. Throws Error for a schedule without two times.
 */
function mostRecent(schedule: Schedule, earliest: number, now: number): Due {
  const first = schedule.next(earliest)
  if (first === undefined) throw new Error('time difference between two schedules is less than 1 second')
  if (now < first) return { missed: undefined, isMany: false }
  const second = schedule.next(first)
  if (second === undefined || now < second) return { missed: first, isMany: false }
  const interval = second - first
  const count = Math.floor((now - first) / interval) + 1
  let missed: number | undefined
  // Two intervals back the calendar takes over: not all intervals are alike.
  for (let at = schedule.next(first + (count - 2) * interval); at !== undefined && at <= now; at = schedule.next(at)) {
    missed = at
  }
  return { missed, isMany: count > MANY }
}

/** What is due now. Throws Error for a schedule that never comes. */
export const dueNow = (job: CronJob, schedule: Schedule, now: number): Due =>
  mostRecent(schedule, earliestOf(job, now, true), now)

/** Milliseconds until the next time; undefined when there is none. */
export function nextIn(job: CronJob, schedule: Schedule, now: number): number | undefined {
  const earliest = earliestOf(job, now, false)
  let from = now
  try {
    const { missed, isMany } = mostRecent(schedule, earliest, now)
    from = missed ?? (isMany ? now : earliest)
  } catch {
    // It is looked at again at whatever time comes after now.
  }
  const next = schedule.next(from)
  return next === undefined ? undefined : Math.max(next - now, 0) + LATE_MS
}
