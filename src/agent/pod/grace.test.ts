import assert from 'node:assert/strict'
import { test } from 'node:test'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { createGrace } from './grace.ts'

const pod = (seconds: number, deleted?: number) => ({
  metadata:
    deleted === undefined ? {} : { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: deleted },
  spec: { containers: [], terminationGracePeriodSeconds: seconds },
})

test('createGrace counts from when it is first asked, and a shorter grace from when it is heard of', async () => {
  const clock = virtualClock()
  const grace = createGrace(clock)
  assert.equal(grace.left(pod(30), false), 30_000)
  await clock.advance(10_000)
  assert.equal(grace.left(pod(30), false), 20_000)
  assert.equal(grace.left(pod(30, 5), false), 5000)
  assert.equal(grace.left(pod(30, 5), true), 1000)
  grace.reset()
  assert.equal(grace.left(pod(30), false), 30_000)
})

test('createGrace is limited to what is left of it, and never made longer', async () => {
  const clock = virtualClock()
  const grace = createGrace(clock)
  grace.limit(8000)
  assert.equal(grace.left(pod(30), false), 8000)
  await clock.advance(6000)
  grace.limit(60_000)
  assert.equal(grace.left(pod(30), false), 2000)
  grace.limit(Number.POSITIVE_INFINITY)
  assert.equal(grace.left(pod(30), false), 2000)
})
