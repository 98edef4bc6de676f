import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silent } from '../lib/log.ts'
import { settled, virtualClock } from '../lib/virtual-clock.ts'
import { runAll } from './lifetime.ts'

const untilAborted = (signal: AbortSignal) =>
  new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))

test('runAll runs every component until the signal aborts, and resolves when the last has let go', async () => {
  const clock = virtualClock(0)
  const scope = new AbortController()
  const log: string[] = []
  let letGo!: () => void
  const slow = new Promise<void>(resolve => {
    letGo = resolve
  })
  const running = runAll(
    [
      {
        name: 'quick',
        async run(signal) {
          await untilAborted(signal)
          log.push('quick ended')
        },
      },
      {
        name: 'slow',
        async run(signal) {
          await untilAborted(signal)
          await slow
          log.push('slow ended')
        },
      },
    ],
    { clock, logger: silent },
    scope.signal,
  ).then(() => log.push('all ended'))
  scope.abort()
  await settled()
  assert.deepEqual(log, ['quick ended'])
  letGo()
  await running
  assert.deepEqual(log, ['quick ended', 'slow ended', 'all ended'])
  assert.equal(clock.nextDue(), undefined)
})

test('runAll starts a component that failed or ended again, later each time, and ends what it left running', async () => {
  const clock = virtualClock(0)
  const scope = new AbortController()
  const starts: number[] = []
  const left: AbortSignal[] = []
  const errors: object[] = []
  const logger = { ...silent, error: (fields: object) => void errors.push(fields) }
  const component = {
    name: 'frail',
    run: async (signal: AbortSignal) => {
      starts.push(clock.now())
      left.push(signal)
      if (starts.length === 2) return
      throw new Error('broken')
    },
  }
  const running = runAll([component], { clock, logger }, scope.signal)
  await clock.advance(1000)
  assert.deepEqual(starts, [0, 100, 300, 700])
  assert.ok(left.every(signal => signal.aborted))
  assert.equal(errors.length, 4)
  scope.abort()
  await running
})
