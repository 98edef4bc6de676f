const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)$/
const MONTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
const SECOND = 1_000_000_000n

/** Reads an RFC 3339 time: nanoseconds since 1970, or undefined when it is none. */
export function parseTimestamp(text: string): bigint | undefined {
  const match = RFC3339.exec(text)
  if (!match) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  if (month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return undefined
  if (hour > 23 || minute > 59 || second > 59) return undefined
  const offset = offsetSeconds(match[8] as string)
  if (offset === undefined) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second)
  const nanos = BigInt((match[7] ?? '').slice(0, 9).padEnd(9, '0'))
  return (BigInt(date.getTime() / 1000) - BigInt(offset)) * SECOND + nanos
}

function daysOf(year: number, month: number): number {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  return month === 2 && leap ? 29 : (MONTHS[month - 1] as number)
}

/** `+05:30` in seconds; undefined when the hour or the minute is none. */
export function offsetSeconds(zone: string): number | undefined {
  if (zone === 'Z') return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(4, 6))
  if (hours > 24 || minutes > 60) return undefined
  const seconds = hours * 3600 + minutes * 60
  return zone.startsWith('-') ? -seconds : seconds
}

/** The time in RFC 3339 with as many digits of the second as it needs; in UTC, or as many seconds from it as told. */
export function formatTimestamp(nanos: bigint, offset = 0): string {
  const local = nanos + BigInt(offset) * SECOND
  const seconds = local >= 0n ? local / SECOND : -((-local + SECOND - 1n) / SECOND)
  const rest = local - seconds * SECOND
  const date = new Date(Number(seconds) * 1000)
  const year = String(date.getUTCFullYear()).padStart(4, '0')
  const base = `${year}${date.toISOString().slice(-20, -5)}`
  const fraction = rest === 0n ? '' : `.${String(rest).padStart(9, '0').replace(/0+$/, '')}`
  return `${base}${fraction}${zoneText(offset)}`
}

function zoneText(offset: number): string {
  if (offset === 0) return 'Z'
  const minutes = Math.abs(offset) / 60
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0')
  return `${offset < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`
}

/** The offset that an RFC 3339 time is written with, in seconds. */
export const zoneOf = (text: string): number => (/[zZ]$/.test(text) ? 0 : (offsetSeconds(text.slice(-6)) ?? 0))

/** Seconds with a fraction and an `s`, as CEL writes durations: `90s`, `0.5s`. */
export function formatDuration(nanos: bigint): string {
  const negative = nanos < 0n
  const absolute = negative ? -nanos : nanos
  const rest = absolute % SECOND
  const fraction = rest === 0n ? '' : `.${String(rest).padStart(9, '0').replace(/0+$/, '')}`
  return `${negative ? '-' : ''}${absolute / SECOND}${fraction}s`
}
