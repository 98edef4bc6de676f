import assert from 'node:assert/strict'
import { test } from 'node:test'
import { virtualClock } from '../lib/virtual-clock.ts'
import { createWorkQueue } from './work-queue.ts'

const make = () => {
  const clock = virtualClock(0)
  return { clock, queue: createWorkQueue<string>(clock, { backOff: 10, backOffMax: 50 }) }
}

test('createWorkQueue hands each key out once however often it was added, first come first served', async () => {
  const { queue } = make()
  for (const key of ['a', 'b', 'a', 'a']) queue.add(key)
  assert.equal(queue.depth(), 2)
  assert.equal(await queue.take(), 'a')
  assert.equal(await queue.take(), 'b')
  assert.equal(queue.depth(), 0)
})

test('createWorkQueue never gives a key that is in hand, and remembers that it was asked for', async () => {
  const { queue } = make()
  queue.add('a')
  await queue.take()
  queue.add('a')
  assert.equal(queue.depth(), 0)
  assert.equal(queue.idle(), false)
  queue.done('a')
  assert.equal(await queue.take(), 'a')
  queue.done('a')
  assert.equal(queue.idle(), true)
})

test('createWorkQueue wakes those who wait, and lets them go when it closes', async () => {
  const { queue } = make()
  const first = queue.take()
  const second = queue.take()
  queue.add('a')
  assert.equal(await first, 'a')
  queue.close()
  assert.equal(await second, undefined)
  assert.equal(await queue.take(), undefined)
})

test('createWorkQueue adds later, by the earliest of several requests', async () => {
  const { queue, clock } = make()
  queue.addAfter('a', 100)
  queue.addAfter('a', 30)
  queue.addAfter('a', 60)
  await clock.advance(29)
  assert.equal(queue.depth(), 0)
  await clock.advance(1)
  assert.equal(queue.depth(), 1)
})

test('createWorkQueue drops a delayed request when the work happens before it is due', async () => {
  const { queue, clock } = make()
  queue.addAfter('a', 100)
  queue.add('a')
  await queue.take()
  queue.done('a')
  assert.equal(clock.nextDue(), undefined)
})

test('createWorkQueue doubles the delay with each failure up to a ceiling, until it is forgotten', async () => {
  const { queue, clock } = make()
  const delays: number[] = []
  for (let failure = 0; failure < 5; failure++) {
    delays.push(queue.addFailed('a'))
    await clock.advance(50)
    await queue.take()
    queue.done('a')
  }
  assert.deepEqual(delays, [10, 20, 40, 50, 50])
  queue.forget('a')
  assert.equal(queue.addFailed('a'), 10)
})

test('createWorkQueue tells when nothing waits and nothing is in hand', async () => {
  const { queue } = make()
  await queue.whenIdle()
  const told: string[] = []
  queue.add('a')
  queue.add('b')
  const idle = queue.whenIdle().then(() => told.push('idle'))
  for (const _ of [1, 2]) {
    const key = await queue.take()
    assert.deepEqual(told, [])
    queue.done(key!)
  }
  await idle
  queue.add('a')
  queue.add('b')
  const closed = queue.whenIdle()
  const inHand = await queue.take()
  queue.close()
  assert.equal(queue.idle(), false, 'what is in hand is waited for')
  queue.done(inHand!)
  await closed
})
