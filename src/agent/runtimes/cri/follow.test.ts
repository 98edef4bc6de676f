import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silent } from '../../../lib/log.ts'
import { virtualClock } from '../../../lib/virtual-clock.ts'
import { createFollow } from './follow.ts'
import type { Known } from './known.ts'

/** A runtime of one container `c` in one sandbox `s`. */
function world() {
  const clock = virtualClock()
  const state = { c: 'running', s: 'ready' }
  const reads: string[] = []
  const known = {
    containers: new Map([['c', { status: { sandboxId: 's' } }]]),
    sandboxes: new Map([['s', {}]]),
    async readContainer(id: 'c') {
      reads.push(id)
      return { status: { state: state[id] } }
    },
    async readSandbox(id: 's') {
      reads.push(id)
      return { status: { state: state[id] } }
    },
  } as unknown as Known
  const follow = createFollow({ known, clock, logger: silent, signal: new AbortController().signal })
  return { clock, state, reads, follow }
}

test('createFollow: what began is read once, and what is not known is not', async () => {
  const { clock, reads, follow } = world()
  follow.seen('c', false)
  follow.seen('s', false)
  follow.seen('of another', false)
  await clock.advance(10_000)
  assert.deepEqual(reads, ['c', 's'])
})

test('createFollow: an end is read until the runtime says so, by one reader for all its events', async () => {
  const { clock, state, reads, follow } = world()
  follow.seen('c', true)
  follow.seen('c', true)
  await clock.advance(5)
  // The second event came while the first was being read.
  assert.deepEqual(reads, ['c', 'c', 'c'])
  state.c = 'exited'
  await clock.advance(10_000)
  assert.equal(reads.length, 4)
  follow.seen('c', true)
  await clock.advance(0)
  assert.equal(reads.length, 5, 'a later event is read again')
})

test('createFollow: a second event of an end is read at once, though the wait had become long', async () => {
  const { clock, state, reads, follow } = world()
  follow.seen('c', true)
  await clock.advance(300)
  const before = reads.length
  await clock.advance(20)
  assert.equal(reads.length, before, 'it waits long by now')
  follow.seen('c', true)
  await clock.advance(1)
  assert.equal(reads.length, before + 1)
  state.c = 'exited'
  await clock.advance(2)
  assert.equal(reads.length, before + 2, 'and soon again')
  await clock.advance(60_000)
  assert.equal(reads.length, before + 2)
})

test('createFollow: an end that the runtime never tells is given up', async () => {
  const { clock, reads, follow } = world()
  follow.seen('s', true)
  await clock.advance(60_000)
  const count = reads.length
  await clock.advance(60_000)
  assert.equal(reads.length, count)
})

test('createFollow: while a call ends things their events are not read, and all are when it is done', async () => {
  const { clock, reads, follow } = world()
  const { promise, resolve } = Promise.withResolvers<void>()
  const ending = follow.ending(['s', 'c'], () => promise)
  follow.seen('c', true)
  follow.seen('s', true)
  await clock.advance(1000)
  assert.deepEqual(reads, [])
  resolve()
  await ending
  assert.deepEqual(reads, ['s', 'c'])
  follow.seen('c', false)
  assert.deepEqual(reads, ['s', 'c', 'c'])
})

test('createFollow: a call that failed is told, and what it was to end is read', async () => {
  const { reads, follow } = world()
  await assert.rejects(
    follow.ending(['c'], async () => {
      throw new Error('no')
    }),
    /no/,
  )
  assert.deepEqual(reads, ['c'])
})
