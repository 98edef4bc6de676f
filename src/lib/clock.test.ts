import assert from 'node:assert/strict'
import { test } from 'node:test'
import { within } from './clock.ts'
import { virtualClock } from './virtual-clock.ts'

/** A clock that counts the timers that are pending. */
function counting() {
  const clock = virtualClock()
  const pending = new Set<object>()
  return {
    clock: {
      ...clock,
      after(ms: number, fn: () => void) {
        const mark = {}
        pending.add(mark)
        const timer = clock.after(ms, () => {
          pending.delete(mark)
          fn()
        })
        return {
          cancel() {
            pending.delete(mark)
            timer.cancel()
          },
        }
      },
    },
    pending,
  }
}

test('within resolves with what the work comes to, rejects as it does, and leaves no timer', async () => {
  const { clock, pending } = counting()
  assert.equal(await within(clock, 1000, Promise.resolve('done')), 'done')
  await assert.rejects(within(clock, 1000, Promise.reject(new Error('failed'))), /failed/)
  assert.equal(pending.size, 0)
})

test('within waits no longer than it is told, and not at all after the signal', async () => {
  const { clock, pending } = counting()
  const never = new Promise<string>(() => {})
  let over = false
  const waiting = within(clock, 1000, never).then(found => {
    over = true
    return found
  })
  await clock.advance(999)
  assert.equal(over, false)
  await clock.advance(1)
  assert.equal(await waiting, undefined)
  const scope = new AbortController()
  const aborted = within(clock, 1000, never, scope.signal)
  scope.abort()
  assert.equal(await aborted, undefined)
  assert.equal(await within(clock, 1000, never, scope.signal), undefined)
  assert.equal(pending.size, 0)
})
