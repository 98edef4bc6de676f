import assert from 'node:assert/strict'
import test from 'node:test'
import { silent } from '../../lib/log.ts'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { type BatchOptions, webhookBackend } from './webhook-backend.ts'

function start(options: BatchOptions, fails = 0) {
  const clock = virtualClock()
  const sent: number[][] = []
  const post = async (body: string) => {
    if (fails-- > 0) throw new Error('refused')
    const { kind, apiVersion, items } = JSON.parse(body)
    assert.deepEqual([kind, apiVersion], ['EventList', 'audit.k8s.io/v1'])
    sent.push(items.map((each: { n: number }) => each.n))
  }
  const backend = webhookBackend({ post, clock, logger: silent }, options)
  const take = (...numbers: number[]) => {
    for (const n of numbers) backend.take(JSON.stringify({ n }))
  }
  return { clock, sent, backend, take }
}

test('webhookBackend sends when enough has come, or enough time has passed', async () => {
  const { clock, sent, take } = start({ maxSize: 2, maxWait: 1000 })
  take(1, 2, 3)
  await clock.advance(0)
  assert.deepEqual(sent, [[1, 2], [3]])
  take(4)
  await clock.advance(999)
  assert.equal(sent.length, 2)
  await clock.advance(1)
  assert.deepEqual(sent.at(-1), [4])
})

test('webhookBackend tries again, later each time, and keeps the order', async () => {
  const { clock, sent, take } = start({ maxSize: 1, initialBackoff: 1000 }, 2)
  take(1)
  await clock.advance(0)
  take(2)
  await clock.advance(1000)
  assert.deepEqual(sent, [])
  await clock.advance(2000)
  assert.deepEqual(sent, [[1], [2]])
})

test('webhookBackend sends no more often than it may, and as many as a burst at once', async () => {
  const { clock, sent, take } = start({ maxSize: 1, qps: 2, burst: 3 })
  take(1, 2, 3, 4, 5)
  await clock.advance(0)
  assert.deepEqual(sent.flat(), [1, 2, 3])
  await clock.advance(499)
  assert.equal(sent.length, 3)
  await clock.advance(1)
  assert.deepEqual(sent.flat(), [1, 2, 3, 4])
  await clock.advance(500)
  assert.deepEqual(sent.flat(), [1, 2, 3, 4, 5])
  await clock.advance(60_000)
  take(6, 7, 8, 9)
  await clock.advance(0)
  assert.deepEqual(sent.flat().slice(5), [6, 7, 8])
})

test('webhookBackend is not held back where that is turned off', async () => {
  const { clock, sent, take } = start({ maxSize: 1, qps: 1, burst: 1, throttle: false })
  take(1, 2, 3, 4)
  await clock.advance(0)
  assert.deepEqual(sent.flat(), [1, 2, 3, 4])
})

test('webhookBackend sends no more bytes together than it may, but any single event', async () => {
  const { clock, sent, take } = start({ maxBytes: 16, maxWait: 10 })
  take(1, 2, 3)
  await clock.advance(10)
  assert.deepEqual(sent, [[1, 2], [3]])
  const { clock: other, sent: alone, take: takeOne } = start({ maxBytes: 1, maxWait: 10 })
  takeOne(1, 2)
  await other.advance(10)
  assert.deepEqual(alone, [[1], [2]])
})

test('webhookBackend drops what it has no room for, and sends the rest when it ends', async () => {
  const { sent, take, backend } = start({ bufferSize: 2, maxWait: 1000 })
  take(1, 2, 3)
  await backend.close()
  assert.deepEqual(sent, [[1, 2]])
})
