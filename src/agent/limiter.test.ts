import assert from 'node:assert/strict'
import { test } from 'node:test'
import { virtualClock } from '../lib/virtual-clock.ts'
import { createLimiter } from './limiter.ts'

/** A limiter of two, and things to run in it that end when told. */
function setUp() {
  const clock = virtualClock()
  const limiter = createLimiter(2, clock)
  const begun: string[] = []
  const run = (name: string) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    void limiter.run(() => {
      begun.push(name)
      return promise
    })
    return resolve
  }
  const calm = async (name: string, limitMs: number) => {
    await limiter.calm(limitMs)
    begun.push(name)
  }
  return { clock, begun, run, calm, settle: () => new Promise(setImmediate) }
}

test('createLimiter: no more than so many run at once, the others in order', async () => {
  const { begun, run, settle } = setUp()
  const [endA] = [run('a'), run('b'), run('c'), run('d')]
  await settle()
  assert.deepEqual(begun, ['a', 'b'])
  endA()
  await settle()
  assert.deepEqual(begun, ['a', 'b', 'c'])
})

test('createLimiter: what is less urgent goes at once where nothing runs', async () => {
  const { begun, calm, settle } = setUp()
  void calm('less', 2000)
  await settle()
  assert.deepEqual(begun, ['less'])
})

test('createLimiter: what is less urgent waits until nothing has run for a moment', async () => {
  const { clock, begun, run, calm, settle } = setUp()
  const endA = run('a')
  await settle()
  void calm('less', 2000)
  await clock.advance(500)
  endA()
  await settle()
  await clock.advance(90)
  const endB = run('b')
  await clock.advance(500)
  assert.deepEqual(begun, ['a', 'b'], 'the next one came in time')
  endB()
  await settle()
  await clock.advance(99)
  assert.deepEqual(begun, ['a', 'b'])
  await clock.advance(1)
  assert.deepEqual(begun, ['a', 'b', 'less'])
})

test('createLimiter: what is less urgent waits no longer than it says', async () => {
  const { clock, begun, run, calm } = setUp()
  run('a')
  void calm('less', 2000)
  await clock.advance(1999)
  assert.deepEqual(begun, ['a'])
  await clock.advance(1)
  assert.deepEqual(begun, ['a', 'less'])
})
