/** Times as the API writes them (RFC 3339, UTC), and durations as Go and kubectl write them. */

let lastSecond = -1
let lastText = ''

/** meta/v1 Time: to the second, `2026-01-02T03:04:05Z`. `ms` since the epoch. */
export function rfc3339(ms: number): string {
  const second = Math.floor(ms / 1000)
  if (second === lastSecond) return lastText
  lastText = `${new Date(second * 1000).toISOString().slice(0, 19)}Z`
  lastSecond = second
  return lastText
}

/** meta/v1 MicroTime: `2026-01-02T03:04:05.000006Z`. Fractions of a millisecond count. */
export function rfc3339Micro(ms: number): string {
  const micros = Math.floor((ms - Math.floor(ms)) * 1000)
  return `${new Date(Math.floor(ms)).toISOString().slice(0, 23)}${String(micros).padStart(3, '0')}Z`
}

const RFC3339 =
  /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?(Z|[+-]\d\d:\d\d)$/

/** ms since the epoch, or undefined where the text is not RFC 3339. */
export function parseTime(text: string | undefined | null): number | undefined {
  if (!text || !RFC3339.test(text)) return undefined
  const ms = Date.parse(text.replace(',', '.'))
  return Number.isNaN(ms) ? undefined : ms
}

/** An age as kubectl shows it: `5s`, `3m20s`, `2d3h`, `<invalid>` for a future of two seconds and more. */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.trunc(seconds / 60)
  if (minutes < 10) return pair(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  const hours = Math.trunc(minutes / 60)
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  const days = Math.trunc(hours / 24)
  if (days < 8) return pair(days, 'd', hours % 24, 'h')
  if (days < 365 * 2) return `${days}d`
  const years = Math.trunc(days / 365)
  if (days < 365 * 8) return pair(years, 'y', days % 365, 'd')
  return `${years}y`
}

const pair = (large: number, unit: string, small: number, smallUnit: string) =>
  small === 0 ? `${large}${unit}` : `${large}${unit}${small}${smallUnit}`

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/** Go's time.ParseDuration, in ms: `1h15m30.5s`. Throws with Go's message. */
export function parseDuration(text: string): number {
  const quoted = JSON.stringify(text)
  const sign = text.startsWith('-') ? -1 : 1
  let rest = text.replace(/^[+-]/, '')
  if (rest === '0') return 0
  if (!rest) throw new Error(`time: invalid duration ${quoted}`)
  let total = 0
  while (rest) {
    const number = /^(\d+\.?\d*|\.\d+)/.exec(rest)?.[0]
    if (!number) throw new Error(`time: invalid duration ${quoted}`)
    rest = rest.slice(number.length)
    const unit = /^[^.\d]+/.exec(rest)?.[0]
    if (!unit) throw new Error(`time: missing unit in duration ${quoted}`)
    const scale = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined
    if (scale === undefined) throw new Error(`time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`)
    total += Number(number) * scale
    rest = rest.slice(unit.length)
  }
  return sign * total
}

/** Go's time.Duration.String for a number of ms: `1m30s`, `0s`, `1.5s`, `250ms`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s'
  const sign = ms < 0 ? '-' : ''
  const size = Math.abs(ms)
  if (size < 1e-3) return `${sign}${Math.round(size * 1e6)}ns`
  if (size < 1) return `${sign}${Number((size * 1e3).toFixed(3))}µs`
  if (size < 1000) return `${sign}${Number(size.toFixed(6))}ms`
  const hours = Math.floor(size / 3_600_000)
  const minutes = Math.floor(size / 60_000) % 60
  const seconds = Number(((size % 60_000) / 1000).toFixed(9))
  return `${sign}${hours ? `${hours}h` : ''}${hours || minutes ? `${minutes}m` : ''}${seconds}s`
}
