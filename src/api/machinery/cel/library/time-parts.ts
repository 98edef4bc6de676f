import { type FunctionDecl, fn, type Library, method } from '../declarations.ts'
import { fail } from '../errors.ts'
import { DURATION, INT, STRING, TIMESTAMP } from '../types.ts'
import type { Duration, Timestamp } from '../values.ts'

const MILLISECOND = 1_000_000n
const OFFSET = /^([+-])?(\d\d):(\d\d)$/
const formatters = new Map<string, Intl.DateTimeFormat>()

/** The moment as a `Date` whose UTC fields show the local time of the zone. */
function local(time: Timestamp, zone: string): Date {
  const utc = new Date(Number(floorDiv(time.nanos, MILLISECOND)))
  const offset = OFFSET.exec(zone)
  if (offset) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3])
    return new Date(utc.getTime() + (offset[1] === '-' ? -minutes : minutes) * 60_000)
  }
  return zone === '' || zone === 'UTC' ? utc : inZone(utc, zone)
}

function inZone(utc: Date, zone: string): Date {
  const parts = new Map(
    formatter(zone)
      .formatToParts(utc)
      .map(part => [part.type, part.value]),
  )
  const number = (name: Intl.DateTimeFormatPartTypes) => Number(parts.get(name))
  const shifted = new Date(0)
  const year = parts.get('era') === 'BC' ? 1 - number('year') : number('year')
  shifted.setUTCFullYear(year, number('month') - 1, number('day'))
  shifted.setUTCHours(number('hour'), number('minute'), number('second'), utc.getUTCMilliseconds())
  return shifted
}

function formatter(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone)
  if (known !== undefined) return known
  const made = newFormatter(zone)
  if (formatters.size < 1000) formatters.set(zone, made)
  return made
}

function newFormatter(zone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'gregory',
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch {
    return fail(`unknown time zone ${zone}`)
  }
}

function floorDiv(value: bigint, by: bigint): bigint {
  const whole = value / by
  return value % by < 0n ? whole - 1n : whole
}

function dayOfYear(date: Date): number {
  const start = new Date(0)
  start.setUTCFullYear(date.getUTCFullYear(), 0, 1)
  const day = new Date(0)
  day.setUTCFullYear(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate())
  return Math.round((day.getTime() - start.getTime()) / 86_400_000)
}

/** `getX()` in UTC and `getX(zone)` of a timestamp. */
const part = (name: string, id: string, of: (date: Date) => number): FunctionDecl =>
  fn(
    name,
    method(`timestamp_to_${id}`, [TIMESTAMP], INT, (time: Timestamp) => BigInt(of(local(time, 'UTC')))),
    method(`timestamp_to_${id}_with_tz`, [TIMESTAMP, STRING], INT, (time: Timestamp, zone: string) =>
      BigInt(of(local(time, zone))),
    ),
  )

/** A part that a duration has too, counted in whole units. */
function timePart(name: string, id: string, of: (date: Date) => number, unit: bigint): FunctionDecl {
  const whole = (duration: Duration) => duration.nanos / unit
  const base = part(name, id, of)
  return { ...base, overloads: [...base.overloads, method(`duration_to_${id}`, [DURATION], INT, whole)] }
}

/** The functions of the language about moments and durations. */
export const TIME_PARTS: Library = [
  part('getFullYear', 'year', date => date.getUTCFullYear()),
  part('getMonth', 'month', date => date.getUTCMonth()),
  part('getDayOfYear', 'day_of_year', dayOfYear),
  part('getDayOfMonth', 'day_of_month', date => date.getUTCDate() - 1),
  part('getDate', 'day_of_month_1_based', date => date.getUTCDate()),
  part('getDayOfWeek', 'day_of_week', date => date.getUTCDay()),
  timePart('getHours', 'hours', date => date.getUTCHours(), 3_600_000_000_000n),
  timePart('getMinutes', 'minutes', date => date.getUTCMinutes(), 60_000_000_000n),
  timePart('getSeconds', 'seconds', date => date.getUTCSeconds(), 1_000_000_000n),
  timePart('getMilliseconds', 'milliseconds', date => date.getUTCMilliseconds(), 1_000_000n),
]
