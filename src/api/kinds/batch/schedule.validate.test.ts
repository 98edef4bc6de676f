import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FieldError } from '../../machinery/field-error.ts'
import { checkSchedule } from './schedule.validate.ts'

for (const [next, old, expected] of [
  [{ schedule: '* * * * *', timeZone: 'Europe/Berlin' }, undefined, undefined],
  [{ schedule: 'error' }, undefined, 'spec.schedule expected exactly 5 fields, found 1: [error]'],
  [
    { schedule: 'TZ=UTC * * * * *' },
    undefined,
    'spec.schedule cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
  ],
  [{ schedule: 'TZ=UTC * * * * *' }, { schedule: 'TZ=UTC 1 * * * *' }, undefined],
  [
    { schedule: 'TZ=UTC * * * * *', timeZone: 'UTC' },
    { schedule: 'TZ=UTC 1 * * * *', timeZone: 'UTC' },
    'spec.schedule cannot use both timeZone field and TZ or CRON_TZ in schedule',
  ],
  [{ schedule: '* * * * *', timeZone: '' }, undefined, 'spec.timeZone timeZone must be nil or non-empty string'],
  [
    { schedule: '* * * * *', timeZone: 'Local' },
    undefined,
    'spec.timeZone timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
  ],
  [{ schedule: '* * * * *', timeZone: 'Moon/Crater' }, undefined, 'spec.timeZone unknown time zone Moon/Crater'],
] as const) {
  test(`checkSchedule says ${expected ?? 'nothing'} of ${JSON.stringify(next)}`, () => {
    const errors: FieldError[] = []
    checkSchedule(next, old, errors)
    assert.deepEqual(
      errors.map(({ field, message }) => `${field} ${message.replace(/^Invalid value: "[^"]*": /, '')}`),
      expected ? [expected] : [],
    )
  })
}
