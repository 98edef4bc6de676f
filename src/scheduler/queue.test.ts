import assert from 'node:assert/strict'
import { it } from 'node:test'
import { virtualClock } from '../lib/virtual-clock.ts'
import { podInfoOf } from './pod-info.ts'
import { createQueue } from './queue.ts'
import { podOf } from './scheduler.fixture.ts'

const pod = (name: string, priority = 0) => podInfoOf(podOf(name, { spec: { priority } }))
function queueOf() {
  const clock = virtualClock()
  const queue = createQueue(clock, () => {})
  const popAll = () => {
    const names: string[] = []
    for (let next = queue.pop(); next; next = queue.pop()) names.push(next.info.uid)
    return names
  }
  return { clock, queue, popAll }
}

it('pop gives higher priorities first, and equals in the order in which they came', () => {
  const { queue, popAll } = queueOf()
  for (const each of [pod('a'), pod('b', 5), pod('c'), pod('d', 5), pod('e', -1)]) queue.add(each)
  assert.deepEqual(popAll(), ['b', 'd', 'a', 'c', 'e'])
})

it('add of a known pod replaces it and keeps its place', () => {
  const { queue, popAll } = queueOf()
  queue.add(pod('a'))
  queue.add(pod('b'))
  queue.add(pod('a'))
  assert.deepEqual(popAll(), ['a', 'b'])
})

it('remove takes a pod out wherever it is', async () => {
  const { clock, queue, popAll } = queueOf()
  for (const name of ['a', 'b', 'c']) queue.add(pod(name))
  queue.pop()
  queue.park('a', new Set(['X']))
  queue.pop()
  queue.retry('b')
  for (const name of ['a', 'b', 'c']) queue.remove(name)
  queue.wake('X', () => true)
  await clock.advance(60_000)
  assert.deepEqual(popAll(), [])
  assert.deepEqual(queue.depth(), { active: 0, backOff: 0, parked: 0 })
})

it('park keeps a pod until one of the plugins that refused it is woken for it, and its back-off is over', async () => {
  const { clock, queue, popAll } = queueOf()
  queue.add(pod('a'))
  queue.pop()
  queue.park('a', new Set(['X', 'Y']))
  await clock.advance(60_000)
  queue.wake('Z', () => true)
  queue.wake('X', () => false)
  assert.deepEqual(popAll(), [])
  queue.wake('Y', () => true)
  assert.deepEqual(popAll(), ['a'])

  // The second attempt has a back-off of two seconds.
  queue.park('a', new Set(['X']))
  queue.wake('X', () => true)
  await clock.advance(1900)
  assert.equal(queue.hasNext(), false)
  await clock.advance(200)
  assert.deepEqual(popAll(), ['a'])
})

it('retry doubles the back-off up to ten seconds', async () => {
  const { clock, queue } = queueOf()
  queue.add(pod('a'))
  const waits: number[] = []
  for (let attempt = 0; attempt < 6; attempt++) {
    queue.pop()
    queue.retry('a')
    const before = clock.now()
    while (!queue.hasNext()) clock.step()
    waits.push(clock.now() - before)
  }
  assert.deepEqual(waits, [1000, 2000, 4000, 8000, 10_000, 10_000])
})
