import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEventCorrelator, type RecordedEvent } from './event-correlator.ts'

const event = (message: string, reason = 'Failed'): RecordedEvent => ({
  about: 'pod',
  type: 'Warning',
  reason,
  message,
})

function make() {
  const correlator = createEventCorrelator()
  let names = 0
  return (what: RecordedEvent, now = 0) => correlator.correlate(what, now, () => `e${++names}`)
}

test('createEventCorrelator counts equal events on one object', () => {
  const correlate = make()
  const first = correlate(event('x'))
  assert.equal(first.type, 'create')
  const second = correlate(event('x'), 5)
  assert.ok(second.type === 'count' && second.series.name === 'e1' && second.series.count === 2)
  assert.equal(correlate(event('y')).type, 'create')
})

test('createEventCorrelator combines more than ten different messages of one reason', () => {
  const correlate = make()
  for (let i = 0; i < 10; i++) assert.equal(correlate(event(`m${i}`)).type, 'create')
  const eleventh = correlate(event('m10'))
  assert.ok(eleventh.type === 'create' && eleventh.message === '(combined from similar events): m10')
  const next = correlate(event('m11'))
  assert.ok(next.type === 'count' && next.series === (eleventh as { series: unknown }).series)
  const other = correlate(event('m0', 'Other'))
  assert.ok(other.type === 'create' && other.message === 'm0')
  const later = correlate(event('m12'), 601_000)
  assert.ok(later.type === 'create' && later.message === 'm12', 'after ten quiet minutes it starts over')
})

test('createEventCorrelator drops a burst beyond 25, and lets one through every five minutes', () => {
  const correlate = make()
  const outcomes = Array.from({ length: 30 }, () => correlate(event('x')).type)
  assert.equal(outcomes.filter(each => each === 'drop').length, 5)
  assert.equal(correlate(event('x'), 299_000).type, 'drop')
  assert.equal(correlate(event('x'), 301_000).type, 'count')
  assert.equal(correlate({ ...event('x'), about: 'another pod' }).type, 'create')
})
