import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silent } from '../../lib/log.ts'
import { settled, virtualClock } from '../../lib/virtual-clock.ts'
import { logindSource } from './logind.ts'
import type { Programs } from './programs.ts'

/** A machine with logind, played. */
function machine() {
  const clock = virtualClock()
  const state = { delay: 5_000_000, preparing: false, refusesLock: false, monitors: 0, locks: 0, isReadOnly: false }
  let hear = (_line: string) => {}
  let endMonitor = (_error: Error) => {}
  const log: string[] = []
  const programs: Programs = {
    async run(_program, args) {
      const name = args.at(-1)
      if (name === 'InhibitDelayMaxUSec') return `t ${state.delay}\n`
      return `b ${state.preparing}\n`
    },
    start(program, _args, line) {
      const { promise: ended, resolve, reject } = Promise.withResolvers<void>()
      const isLock = program === 'systemd-inhibit'
      let isOpen = !(isLock && state.refusesLock)
      const count = (by: number) => (isLock ? (state.locks += by) : (state.monitors += by))
      const close = (settle: () => void) => {
        if (isOpen) count(-1)
        if (isOpen && isLock) log.push('released')
        isOpen = false
        settle()
      }
      if (isOpen) count(1)
      else reject(new Error('refused'))
      if (isOpen && isLock) {
        log.push('held')
        queueMicrotask(() => line('held'))
      }
      if (!isLock) {
        hear = line
        endMonitor = error => close(() => reject(error))
      }
      return { end: () => close(resolve), ended }
    },
  }
  const scope = new AbortController()
  let finish = () => {}
  const follow = (delayMs = 1000) =>
    logindSource({
      programs,
      delayMs,
      async allowDelay(ms) {
        log.push(`allow ${ms}`)
        if (state.isReadOnly) throw new Error('read-only file system')
      },
      clock,
      logger: silent,
    }).follow(
      {
        begins() {
          log.push('begins')
          return new Promise(resolve => (finish = resolve))
        },
        cancelled: () => void log.push('cancelled'),
      },
      scope.signal,
    )
  const say = async (value: boolean) => {
    hear(JSON.stringify({ type: 'signal', member: 'PrepareForShutdown', payload: { type: 'b', data: [value] } }))
    await settled(10)
  }
  return {
    state,
    log,
    scope,
    follow,
    say,
    rest: () => settled(10),
    advance: (ms: number) => clock.advance(ms, () => settled(10)),
    hear: (line: string) => hear(line),
    endMonitor: () => endMonitor(new Error('the bus is gone')),
    finish: async () => {
      finish()
      await settled(10)
    },
  }
}

test('logindSource holds the machine until the listener is done', async () => {
  const { follow, rest, say, finish, log, state, scope } = machine()
  follow()
  await rest()
  assert.deepEqual(log, ['held'])
  await say(true)
  assert.deepEqual(log, ['held', 'begins'])
  await finish()
  assert.deepEqual(log, ['held', 'begins', 'released'])
  scope.abort()
  await rest()
  assert.deepEqual([state.locks, state.monitors], [0, 0])
})

test('logindSource takes the lock again when a shutdown is cancelled', async () => {
  const { follow, rest, say, finish, log, scope } = machine()
  follow()
  await rest()
  await say(true)
  await finish()
  await say(false)
  assert.deepEqual(log, ['held', 'begins', 'released', 'cancelled', 'held'])
  scope.abort()
})

test('logindSource keeps the lock when a shutdown is cancelled before the listener is done', async () => {
  const { follow, rest, say, finish, log, state, scope } = machine()
  follow()
  await rest()
  await say(true)
  await say(false)
  await finish()
  assert.deepEqual(log, ['held', 'begins', 'cancelled'])
  assert.equal(state.locks, 1)
  scope.abort()
})

test('logindSource hears of a shutdown that has begun before', async () => {
  const { follow, rest, log, state, scope } = machine()
  state.preparing = true
  follow()
  await rest()
  assert.deepEqual(log, ['held', 'begins'])
  scope.abort()
})

test('logindSource minds no other line', async () => {
  const { follow, rest, hear, log, scope } = machine()
  follow()
  await rest()
  for (const line of ['', 'Monitoring', '{}', '{"member":"PrepareForSleep","payload":{"data":[true]}}']) hear(line)
  hear('{"member":"PrepareForShutdown","payload":{"data":["true"]}}')
  await rest()
  assert.deepEqual(log, ['held'])
  scope.abort()
})

test('logindSource makes logind wait as long as is wanted, and uses less where it does not', async () => {
  const { follow, rest, advance, log, state, scope } = machine()
  follow(30_000)
  await rest()
  assert.deepEqual(log, ['allow 30000'])
  state.delay = 30_000_000
  await advance(100)
  assert.deepEqual(log, ['allow 30000', 'held'])
  scope.abort()
  for (const isReadOnly of [false, true]) {
    const stubborn = machine()
    stubborn.state.isReadOnly = isReadOnly
    stubborn.follow(30_000)
    await stubborn.advance(10_000)
    assert.deepEqual(stubborn.log, ['allow 30000', 'held'])
    stubborn.scope.abort()
  }
})

test('logindSource tries again, more and more rarely, where it cannot follow', async () => {
  const { follow, rest, advance, endMonitor, say, log, state, scope } = machine()
  state.refusesLock = true
  follow()
  await advance(3_000)
  assert.deepEqual(log, [])
  state.refusesLock = false
  await advance(4_000)
  assert.deepEqual(log, ['held'])
  endMonitor()
  await rest()
  assert.deepEqual([log.at(-1), state.monitors], ['released', 0])
  await advance(1_000)
  await say(true)
  assert.deepEqual(log, ['held', 'released', 'held', 'begins'])
  scope.abort()
})
