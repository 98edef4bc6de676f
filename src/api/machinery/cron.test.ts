import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSchedule } from './cron.ts'

const FROM = Date.parse('2026-01-01T00:00:00Z')
const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString().replace('.000', ''))

for (const [schedule, expected, zone] of [
  ['*/1 * * * *', '2026-01-01T00:01:00Z'],
  ['5/20 * * * *', '2026-01-01T00:05:00Z'],
  ['@hourly', '2026-01-01T01:00:00Z'],
  ['@every 1h30m', '2026-01-01T01:30:00Z'],
  ['0 0 ? JAN MON-FRI', '2026-01-02T00:00:00Z'],
  ['0 0 13 * 5', '2026-01-02T00:00:00Z'],
  // A step makes a star a list of days: the two day fields add to each other.
  ['0 0 */2 * 5', '2026-01-02T00:00:00Z'],
  ['0 0 */1 * 5', '2026-01-02T00:00:00Z'],
  ['*-3 +1 ,2, * *', '2026-01-02T01:00:00Z'],
  ['0 0 31 2 *', undefined],
  // A step beyond the end leaves the first value.
  ['0-59/259 3 * * *', '2026-01-01T03:00:00Z'],
  // Nothing but commas names no value: of the day fields the other one counts then.
  [', * * * *', undefined],
  ['0 0 , * *', undefined],
  ['0 0 , * ,', undefined],
  ['0 0 13 * ,', '2026-01-13T00:00:00Z'],
  ['0 0 , * 5', '2026-01-02T00:00:00Z'],
  ['0 9 * * *', '2026-01-01T08:00:00Z', 'Europe/Berlin'],
  ['TZ=Europe/Berlin 0 9 * * *', '2026-01-01T08:00:00Z'],
] as const) {
  test(`parseSchedule finds the next time of ${schedule}${zone ? ` in ${zone}` : ''}`, () => {
    assert.equal(iso(parseSchedule(schedule, zone).next(FROM)), expected)
  })
}

for (const [schedule, message] of [
  ['', /empty spec string/],
  ['error', /expected exactly 5 fields, found 1: \[error\]/],
  ['0 0 0 0 0 0', /expected exactly 5 fields, found 6/],
  ['60 * * * *', /end of range \(60\) above maximum \(59\)/],
  ['* * 0 * *', /beginning of range \(0\) below minimum \(1\)/],
  ['* * * * 7', /above maximum \(6\)/],
  ['*/0 * * * *', /positive number/],
  ['5-1 * * * *', /beyond end of range/],
  ['L * * * *', /^Error: failed to parse int from L: strconv.Atoi: parsing "L": invalid syntax$/],
  ['-1 * * * *', /parsing "": invalid syntax/],
  ['1-2-3 * * * *', /too many hyphens: 1-2-3/],
  ['1/2/3 * * * *', /too many slashes: 1\/2\/3/],
  ['99999999999999999999 * * * *', /value out of range/],
  ['* * L * *', /failed to parse/],
  ['@sometimes', /unrecognized descriptor: @sometimes/],
  ['@every soon', /failed to parse duration @every soon/],
  ['TZ=Moon/Crater * * * * *', /unknown time zone Moon\/Crater/],
] as const) {
  test(`parseSchedule refuses ${JSON.stringify(schedule)}`, () => assert.throws(() => parseSchedule(schedule), message))
}
