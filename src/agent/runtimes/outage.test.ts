import assert from 'node:assert/strict'
import { test } from 'node:test'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { createOutage } from './outage.ts'

test('createOutage minds what lasts half a minute, and tells when that begins and ends', async () => {
  const clock = virtualClock()
  const outage = createOutage(clock)
  const told: boolean[] = []
  outage.onChange(() => told.push(outage.isLong()))
  outage.began()
  await clock.advance(29_000)
  outage.over()
  await clock.advance(60_000)
  assert.deepEqual(told, [])
  outage.began()
  await clock.advance(20_000)
  outage.began()
  await clock.advance(10_000)
  assert.deepEqual(told, [true])
  outage.began()
  await clock.advance(60_000)
  outage.over()
  outage.over()
  assert.deepEqual(told, [true, false])
})
