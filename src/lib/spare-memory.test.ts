import assert from 'node:assert/strict'
import { test } from 'node:test'
import { giveBackSpareMemory, type Heap, ownHeap } from './spare-memory.ts'
import { virtualClock } from './virtual-clock.ts'

const MB = 1024 * 1024

function world(spare: number, used = 60 * MB) {
  const clock = virtualClock()
  const scope = new AbortController()
  let collections = 0
  let work = () => {}
  const heap: Heap = {
    onCollection(fn) {
      work = fn
      return { close: () => (work = () => {}) }
    },
    size: () => ({ used, spare }),
    async collect() {
      collections++
    },
  }
  giveBackSpareMemory(heap, clock, scope.signal)
  return { clock, scope, work: () => work(), collections: () => collections }
}

test('giveBackSpareMemory: one collection, ten seconds after the last work', async () => {
  const { clock, work, collections } = world(60 * MB)
  await clock.advance(60_000)
  assert.equal(collections(), 0, 'nothing happens without work')
  for (let turn = 0; turn < 20; turn++) {
    work()
    await clock.advance(3000)
  }
  assert.equal(collections(), 0, 'not in the midst of it')
  await clock.advance(7000)
  assert.equal(collections(), 1)
  await clock.advance(600_000)
  assert.equal(collections(), 1, 'rest goes on without')
  work()
  await clock.advance(10_000)
  assert.equal(collections(), 2)
})

test('giveBackSpareMemory: a little is not worth a pause, which is short where little is used', async () => {
  for (const [spare, used, expected] of [
    [14 * MB, 60 * MB, 0],
    [16 * MB, 60 * MB, 1],
    [6 * MB, 25 * MB, 0],
    [7 * MB, 25 * MB, 1],
  ] as const) {
    const { clock, work, collections } = world(spare, used)
    work()
    await clock.advance(20_000)
    assert.equal(collections(), expected, `${spare} beside ${used}`)
  }
})

test('giveBackSpareMemory: nothing comes after the end', async () => {
  const { clock, scope, work, collections } = world(60 * MB)
  work()
  scope.abort()
  await clock.advance(20_000)
  assert.equal(collections(), 0)
})

test('ownHeap: it tells of collections, and has less to spare after one of everything', async () => {
  const { promise: told, resolve } = Promise.withResolvers<void>()
  const observer = ownHeap.onCollection(resolve)
  // 80 MB, which are let go of at once.
  const kept: number[][] = []
  for (let turn = 0; turn < 10_000; turn++) kept.push(new Array<number>(1000).fill(turn))
  await told
  observer.close()
  kept.length = 0
  const before = process.memoryUsage().heapTotal
  await ownHeap.collect()
  assert.ok(process.memoryUsage().heapTotal < before - 40 * MB)
  const { used, spare } = ownHeap.size()
  assert.ok(used > 0 && spare > 0)
})
