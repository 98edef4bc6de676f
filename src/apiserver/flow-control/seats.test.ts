import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PriorityLevelConfiguration } from '../../api/generated/types/flowcontrol-v1.ts'
import { virtualClock } from '../../lib/virtual-clock.ts'
import type { Flow } from './flow-schema.ts'
import { hasRoom, levelsOf } from './level.ts'
import { createSeats, type Refusal, type Release } from './seats.ts'
import { dealHand } from './shuffle.ts'

const limited = (name: string, shares: number, more: object = {}): PriorityLevelConfiguration =>
  ({
    metadata: { name },
    spec: {
      type: 'Limited',
      limited: {
        nominalConcurrencyShares: shares,
        limitResponse: { type: 'Queue', queuing: { queues: 16, handSize: 4, queueLengthLimit: 20 } },
        ...more,
      },
    },
  }) as PriorityLevelConfiguration

const flow = (name: string) => ({ name }) as Flow

function setUp(configurations: PriorityLevelConfiguration[], total: number) {
  const clock = virtualClock()
  const levels = [...levelsOf(configurations, total, new Map()).values()].map(({ level }) => level)
  const seats = createSeats(clock, () => levels)
  const order: string[] = []
  const held: Release[] = []
  const ask = (who: string, at = 0, width = 1, signal = new AbortController().signal) => {
    const level = levels[at]!
    const taken = seats.take(level, width)
    const settle = (result: Release | Refusal) => {
      if (typeof result === 'string') order.push(`${who} ${result}`)
      else {
        order.push(who)
        held.push(result)
      }
    }
    if (taken) settle(taken)
    else void seats.wait(level, flow('f'), who, width, signal).then(settle)
  }
  const settled = () => new Promise<void>(resolve => setImmediate(resolve))
  return { clock, levels, ask, order, held, settled }
}

test('dealHand gives a flow the same different queues each time', () => {
  for (const who of ['a', 'b', 'system:serviceaccount:x:y']) {
    const hand = dealHand(who, 64, 8)
    assert.equal(new Set(hand).size, 8)
    assert.ok(hand.every(card => card >= 0 && card < 64))
    assert.deepEqual(hand, dealHand(who, 64, 8))
  }
  assert.equal(new Set(dealHand('all', 4, 8)).size, 4)
})

test('one greedy flow does not keep others waiting', async () => {
  const { ask, order, held, settled } = setUp([limited('low', 1)], 2)
  for (let i = 0; i < 30; i++) ask('greedy')
  ask('modest')
  ask('other')
  await settled()
  assert.deepEqual(order, ['greedy', 'greedy'])
  for (let turn = 0; turn < 8; turn++) {
    held.shift()!()
    await settled()
  }
  assert.ok(order.includes('modest') && order.includes('other'), order.join())
})

test('a full queue, a long wait and a client that goes end the waiting', async () => {
  const { clock, ask, order, settled } = setUp([limited('low', 1)], 1)
  ask('first')
  const controller = new AbortController()
  ask('gone', 0, 1, controller.signal)
  for (let i = 0; i < 4 * 20 + 1; i++) ask('greedy')
  await settled()
  assert.deepEqual(order.filter(each => each.endsWith('queue-full')).length, 1)
  controller.abort()
  await settled()
  assert.ok(order.includes('gone cancelled'))
  await clock.advance(15_000)
  await settled()
  assert.equal(order.filter(each => each === 'greedy time-out').length, 80)
})

test('a level that does not queue refuses at once', async () => {
  const { ask, order, settled } = setUp([limited('low', 1, { limitResponse: { type: 'Reject' } })], 1)
  ask('a')
  ask('b')
  await settled()
  assert.deepEqual(order, ['a', 'b concurrency-limit'])
})

test('a level borrows what others lend and do not use, up to its limit, and they have theirs back at once', () => {
  const levels = [
    ...levelsOf(
      [limited('a', 50, { borrowingLimitPercent: 20 }), limited('b', 50, { lendablePercent: 50 })],
      100,
      new Map(),
    ).values(),
  ].map(({ level }) => level)
  const [a, b] = levels as [(typeof levels)[0], (typeof levels)[0]]
  assert.deepEqual([a.nominal, b.nominal, b.lendable, a.borrowing], [50, 50, 25, 10])
  a.seats = 50
  assert.equal(hasRoom(a, 10, levels), true)
  assert.equal(hasRoom(a, 11, levels), false)
  b.seats = 45
  assert.equal(hasRoom(a, 6, levels), false)
  assert.equal(hasRoom(a, 5, levels), true)
  a.seats = 60
  assert.equal(hasRoom(b, 5, levels), true)
})

test('a request wider than its level runs alone', async () => {
  const { ask, order, held, settled } = setUp([limited('low', 1)], 4)
  ask('wide', 0, 10)
  ask('next')
  await settled()
  assert.deepEqual(order, ['wide'])
  held.shift()!()
  await settled()
  assert.deepEqual(order, ['wide', 'next'])
})

test('levelsOf keeps who waits and what is taken where the queues stay the same', () => {
  const before = levelsOf([limited('a', 1)], 10, new Map())
  before.get('a')!.level.seats = 3
  const after = levelsOf([limited('a', 2), limited('b', 2)], 10, before)
  assert.equal(after.get('a')!.level.seats, 3)
  assert.equal(after.get('a')!.level.queues, before.get('a')!.level.queues)
  assert.equal(after.get('a')!.level.nominal, 5)
})
