import { checkTimeZone, parseSchedule } from '../../machinery/cron.ts'
import { invalid } from '../../machinery/field-error.ts'
import type { Errors } from '../rules.ts'

/** A schedule and its time zone; a zone inside of the schedule is let through only where it stood before. */
export function checkSchedule(
  { schedule, timeZone }: { readonly schedule: string; readonly timeZone?: string | undefined },
  old: { readonly schedule: string; readonly timeZone?: string | undefined } | undefined,
  errors: Errors,
): void {
  const path = 'spec.schedule'
  try {
    parseSchedule(schedule)
  } catch (error) {
    errors.push(invalid(path, schedule, (error as Error).message))
  }
  const hadZone = old?.schedule.includes('TZ') ?? false
  if (schedule.includes('TZ') && !hadZone) {
    const message = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'
    errors.push(invalid(path, schedule, message))
  } else if (schedule.includes('TZ') && timeZone !== undefined) {
    errors.push(invalid(path, schedule, 'cannot use both timeZone field and TZ or CRON_TZ in schedule'))
  }
  if (timeZone !== undefined && (!old || old.timeZone !== timeZone)) checkZone(timeZone, errors)
}

function checkZone(timeZone: string, errors: Errors) {
  const path = 'spec.timeZone'
  if (timeZone === '') errors.push(invalid(path, timeZone, 'timeZone must be nil or non-empty string'))
  else if (timeZone.toLowerCase() === 'local') {
    const message = 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'
    errors.push(invalid(path, timeZone, message))
  } else {
    try {
      checkTimeZone(timeZone)
    } catch (error) {
      errors.push(invalid(path, timeZone, (error as Error).message))
    }
  }
}
