import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatDuration, humanDuration, parseDuration, parseTime, rfc3339, rfc3339Micro } from './time.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

describe('humanDuration', () => {
  const cases: [number, string][] = [
    [-2 * SECOND, '<invalid>'],
    [-SECOND, '0s'],
    [0, '0s'],
    [119 * SECOND, '119s'],
    [2 * MINUTE, '2m'],
    [2 * MINUTE + 5 * SECOND, '2m5s'],
    [10 * MINUTE + 5 * SECOND, '10m'],
    [179 * MINUTE, '179m'],
    [3 * HOUR, '3h'],
    [3 * HOUR + 20 * MINUTE, '3h20m'],
    [8 * HOUR + 20 * MINUTE, '8h'],
    [47 * HOUR, '47h'],
    [2 * DAY, '2d'],
    [2 * DAY + 3 * HOUR, '2d3h'],
    [8 * DAY + 3 * HOUR, '8d'],
    [729 * DAY, '729d'],
    [730 * DAY, '2y'],
    [733 * DAY, '2y3d'],
    [8 * 365 * DAY + 9 * DAY, '8y'],
  ]
  for (const [ms, expected] of cases) {
    it(`humanDuration of ${ms} ms is ${expected}`, () => {
      assert.equal(humanDuration(ms), expected)
    })
  }
})

describe('times', () => {
  it('rfc3339 drops what is finer than a second, rfc3339Micro keeps microseconds', () => {
    assert.equal(rfc3339(1_767_323_045_999), '2026-01-02T03:04:05Z')
    assert.equal(rfc3339Micro(1_767_323_045_006.25), '2026-01-02T03:04:05.006250Z')
  })

  it('parseTime reads RFC 3339 and nothing else', () => {
    assert.equal(parseTime('2026-01-02T03:04:05Z'), 1_767_323_045_000)
    assert.equal(parseTime('2026-01-02T04:04:05.5+01:00'), 1_767_323_045_500)
    for (const text of ['', 'yesterday', '2026-01-02', '2026-13-02T03:04:05Z', '2026-01-02 03:04:05Z']) {
      assert.equal(parseTime(text), undefined, text)
    }
  })
})

describe('parseDuration', () => {
  const cases: [string, number][] = [
    ['0', 0],
    ['1h15m30.5s', HOUR + 15 * MINUTE + 30_500],
    ['-1.5h', -90 * MINUTE],
    ['300ms', 300],
    ['1µs', 0.001],
    ['+5s', 5000],
  ]
  for (const [text, ms] of cases) {
    it(`parseDuration reads ${text} as ${ms} ms`, () => {
      assert.equal(parseDuration(text), ms)
    })
  }
  const bad: [string, string][] = [
    ['', 'time: invalid duration ""'],
    ['5', 'time: missing unit in duration "5"'],
    ['5d', 'time: unknown unit "d" in duration "5d"'],
    ['x', 'time: invalid duration "x"'],
  ]
  for (const [text, message] of bad) {
    it(`parseDuration refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseDuration(text), { message })
    })
  }

  it('formatDuration writes what parseDuration reads', () => {
    for (const [ms, text] of [
      [10_000, '10s'],
      [80_000, '1m20s'],
      [90_000, '1m30s'],
      [300_000, '5m0s'],
      [HOUR, '1h0m0s'],
      [3_661_000, '1h1m1s'],
      [250, '250ms'],
      [1500, '1.5s'],
      [0, '0s'],
    ] as const) {
      assert.equal(formatDuration(ms), text)
      assert.equal(parseDuration(text), ms)
    }
  })
})
