/**
 * Schedules of CronJobs: five fields as cron has them, or one of `@hourly` and its like, in a time zone. The library
 * knows the calendar; what it takes beyond Kubernetes' grammar is refused here first.
 */
import { Cron } from 'croner'

/** Times of a schedule. */
export interface Schedule {
  /** The first time after `ms` (since the epoch); undefined when there is none, as on the 31st of February. */
  next(ms: number): number | undefined
}

const MONTHS = 'jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec'
const DAYS = 'sun|mon|tue|wed|thu|fri|sat'

/** A field: what it is, its least and greatest value, and the names that stand for values. */
const FIELDS: readonly [name: string, least: number, greatest: number, names: string][] = [
  ['minute', 0, 59, ''],
  ['hour', 0, 23, ''],
  ['day of month', 1, 31, ''],
  ['month', 1, 12, MONTHS],
  ['day of week', 0, 6, DAYS],
]

const SHORTHANDS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 }

/** `1h30m` in ms; undefined for anything else. */
function duration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(text)) return undefined
  let sum = 0
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)) sum += Number(number) * UNITS[unit!]!
  return sum
}

/** A whole number as Go's strconv.Atoi reads it, and not below zero. Throws Error. */
function wholeNumber(text: string): number {
  const refuse = (why: string) => {
    const cause = `strconv.Atoi: parsing ${JSON.stringify(text)}: ${why}`
    return new Error(`failed to parse int from ${text}: ${cause}`)
  }
  if (!/^[+-]?\d+$/.test(text)) throw refuse('invalid syntax')
  const value = Number(text)
  if (Math.abs(value) >= 2 ** 63) throw refuse('value out of range')
  if (value < 0) throw new Error(`negative number (${value}) not allowed: ${text}`)
  return value
}

interface Field {
  /** In numbers only. */
  readonly text: string
  /** It is open to every value. */
  readonly star: boolean
}

const isStar = (text: string) => text === '*' || text === '?'

function parsePart(part: string, [, least, greatest, names]: (typeof FIELDS)[number]): Field {
  const [range = '', every, ...slashes] = part.split('/')
  const [from = '', to, ...hyphens] = range.split('-')
  const numberOf = (word: string) => {
    const at = names ? names.split('|').indexOf(word.toLowerCase()) : -1
    return at >= 0 ? at + least : wholeNumber(word)
  }
  const star = isStar(from)
  const first = star ? least : numberOf(from)
  if (!star && hyphens.length > 0) throw new Error(`too many hyphens: ${part}`)
  let last = star ? greatest : to === undefined ? first : numberOf(to)
  if (slashes.length > 0) throw new Error(`too many slashes: ${part}`)
  const step = every === undefined ? 1 : wholeNumber(every)
  // `7/2` means from 7 to the end in steps of 2.
  if (every !== undefined && to === undefined) last = greatest
  if (first < least) throw new Error(`beginning of range (${first}) below minimum (${least}): ${part}`)
  if (last > greatest) throw new Error(`end of range (${last}) above maximum (${greatest}): ${part}`)
  if (first > last) throw new Error(`beginning of range (${first}) beyond end of range (${last}): ${part}`)
  if (step === 0) throw new Error(`step of range should be a positive number: ${part}`)
  // A step beyond the end leaves the first value.
  if (step > last - first) return { text: `${first}`, star: star && step === 1 }
  if (star) return { text: step > 1 ? `*/${step}` : '*', star: step === 1 }
  return { text: `${first}-${last}${step > 1 ? `/${step}` : ''}`, star: false }
}

function parseField(text: string, bounds: (typeof FIELDS)[number]): Field {
  const parts = text
    .split(',')
    .filter(part => part !== '')
    .map(part => parsePart(part, bounds))
  return { text: parts.map(part => part.text).join(','), star: parts.some(part => part.star) }
}

/**
 * Nothing but commas names no value, which is allowed: then there is no such time. Of the two day fields one is enough
 * where both are restricted.
 */
function isNever(fields: readonly Field[]): boolean {
  const [minute, hour, day, month, weekday] = fields as [Field, Field, Field, Field, Field]
  if (!minute.text || !hour.text || !month.text) return true
  return day.star || weekday.star ? !day.text || !weekday.text : !day.text && !weekday.text
}

/** An IANA time zone that this machine knows. Throws Error for another. */
export function checkTimeZone(name: string): void {
  if (!/^[A-Za-z]/.test(name) || name.toLowerCase() === 'local') throw new Error(`unknown time zone ${name}`)
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
  } catch {
    throw new Error(`unknown time zone ${name}`)
  }
}

/** Reads a schedule. Throws Error that says what is wrong with it. */
export function parseSchedule(text: string, timeZone = 'UTC'): Schedule {
  const zoned = /^(?:CRON_)?TZ=(\S+)\s+(.*)$/.exec(text)
  if (zoned) return parseSchedule(zoned[2]!, zoned[1])
  checkTimeZone(timeZone)
  const trimmed = text.trim()
  if (trimmed === '') throw new Error('empty spec string')
  if (trimmed.startsWith('@every ')) return every(trimmed.slice('@every '.length), trimmed)
  const plain = trimmed.startsWith('@') ? SHORTHANDS[trimmed] : trimmed
  if (plain === undefined) throw new Error(`unrecognized descriptor: ${trimmed}`)
  const fields = plain.split(/\s+/)
  if (fields.length !== 5) throw new Error(`expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`)
  const parsed = fields.map((field, at) => parseField(field, FIELDS[at]!))
  if (isNever(parsed)) return { next: () => undefined }
  // Two restricted day fields add to each other; one that is open to every day, or names none, leaves it to the other.
  const domAndDow = [parsed[2]!, parsed[4]!].some(each => each.star || !each.text)
  const cron = new Cron(parsed.map(field => field.text || '*').join(' '), {
    mode: '5-part',
    timezone: timeZone,
    domAndDow,
    paused: true,
  })
  return { next: ms => cron.nextRun(new Date(ms))?.getTime() }
}

function every(text: string, whole: string): Schedule {
  const ms = duration(text)
  if (ms === undefined)
    throw new Error(`failed to parse duration ${whole}: time: invalid duration ${JSON.stringify(text)}`)
  const step = Math.max(1000, Math.floor(ms / 1000) * 1000)
  return { next: from => Math.floor(from / 1000) * 1000 + step }
}
