import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settled, virtualClock } from '../../lib/virtual-clock.ts'
import { createPacer } from './pacer.ts'

test('createPacer wakes together what comes within 3 ms, also after the clock was set back', async () => {
  const clock = virtualClock()
  const pace = createPacer(clock)
  const woken: number[] = []
  pace(() => woken.push(1))
  await settled()
  assert.deepEqual(woken, [1])
  clock.jump(-3_600_000)
  pace(() => woken.push(2))
  pace(() => woken.push(3))
  await clock.advance(3)
  assert.deepEqual(woken, [1, 2, 3])
})
