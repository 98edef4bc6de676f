import assert from 'node:assert/strict'
import { test } from 'node:test'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { createRestartBackOff } from './restart.ts'

test('createRestartBackOff waits as long as it was meant to, whatever is done to the clock', async () => {
  for (const jump of [0, 3_600_000, -3_600_000]) {
    const clock = virtualClock()
    const backOff = createRestartBackOff(300_000)
    assert.equal(backOff.wait(clock.now(), clock), 0)
    backOff.restarted(clock.now())
    const ended = clock.now()
    assert.equal(backOff.wait(ended, clock), 10_000)
    clock.jump(jump)
    await clock.advance(4000)
    assert.equal(backOff.wait(ended, clock), 6000, `after a jump by ${jump} ms`)
    await clock.advance(6000)
    assert.equal(backOff.wait(ended, clock), 0, `after a jump by ${jump} ms`)
  }
})

test('createRestartBackOff never waits longer than it was meant to after an end that seems to lie ahead', () => {
  const clock = virtualClock()
  const backOff = createRestartBackOff(300_000)
  backOff.restarted(clock.now())
  assert.equal(backOff.wait(clock.now() + 3_600_000, clock), 0, 'forgiven after 10 minutes of running')
  backOff.restarted(clock.now())
  assert.equal(backOff.wait(clock.now() + 60_000, clock), 10_000)
})

test('createRestartBackOff waits no longer than it may', () => {
  const clock = { now: () => 0, elapsed: () => 0 }
  const backOff = createRestartBackOff(15_000)
  const waits = [0, 1, 2, 3].map(() => {
    backOff.restarted(0)
    return backOff.wait(0, clock)
  })
  assert.deepEqual(waits, [10_000, 15_000, 15_000, 15_000])
  const short = createRestartBackOff(1000)
  short.restarted(0)
  assert.equal(short.wait(0, clock), 1000)
})
