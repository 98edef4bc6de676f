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

/** A field: its name, least and greatest value, and the names that stand for values. */
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

function checkField(text: string, [name, least, greatest, names]: (typeof FIELDS)[number]) {
  const listed = names ? names.split('|') : []
  const numberOf = (word: string) => {
    const at = listed.indexOf(word.toLowerCase())
    const value = at >= 0 ? at + least : /^\d+$/.test(word) ? Number(word) : Number.NaN
    if (Number.isNaN(value)) throw new Error(`failed to parse ${name} from ${JSON.stringify(word)}`)
    if (value < least) throw new Error(`beginning of range (${value}) below minimum (${least}): ${text}`)
    if (value > greatest) throw new Error(`end of range (${value}) above maximum (${greatest}): ${text}`)
    return value
  }
  for (const part of text.split(',')) {
    const [range = '', step, ...more] = part.split('/')
    if (more.length > 0) throw new Error(`too many slashes: ${part}`)
    if (step !== undefined && !/^\d+$/.test(step)) throw new Error(`failed to parse int from ${step}`)
    if (step !== undefined && Number(step) === 0) throw new Error(`step of range should be a positive number: ${part}`)
    if (range === '*' || range === '?') continue
    const [from = '', to, ...rest] = range.split('-')
    if (rest.length > 0) throw new Error(`too many hyphens: ${part}`)
    const first = numberOf(from)
    const last = to === undefined ? first : numberOf(to)
    if (first > last) throw new Error(`beginning of range (${first}) beyond end of range (${last}): ${part}`)
  }
}

/** `7/2` means from 7 to the end in steps of 2. */
const withEnds = (text: string, [, , greatest]: (typeof FIELDS)[number]) =>
  text
    .split(',')
    .map(part => part.replace(/^([^*?/-]+)\/(\d+)$/, `$1-${greatest}/$2`).replace('?', '*'))
    .join(',')

const hasStar = (text: string) => text.split(',').some(part => part.startsWith('*'))

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
  for (const [at, field] of fields.entries()) checkField(field, FIELDS[at]!)
  const normal = fields.map((field, at) => withEnds(field, FIELDS[at]!))
  // Two restricted day fields add to each other; a field with a star only narrows the other.
  const domAndDow = hasStar(normal[2]!) || hasStar(normal[4]!)
  const cron = new Cron(normal.join(' '), { mode: '5-part', timezone: timeZone, domAndDow, paused: true })
  return { next: ms => cron.nextRun(new Date(ms))?.getTime() }
}

function every(text: string, whole: string): Schedule {
  const ms = duration(text)
  if (ms === undefined)
    throw new Error(`failed to parse duration ${whole}: time: invalid duration ${JSON.stringify(text)}`)
  const step = Math.max(1000, Math.floor(ms / 1000) * 1000)
  return { next: from => Math.floor(from / 1000) * 1000 + step }
}
