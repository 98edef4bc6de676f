import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWorkQueue } from '../client/work-queue.ts'
import { silent } from '../lib/log.ts'
import { settled, virtualClock } from '../lib/virtual-clock.ts'
import { workOff } from './work-off.ts'

test('workOff takes up the next key when one failed, and that one again after its delay', async () => {
  const clock = virtualClock()
  const scope = new AbortController()
  const queue = createWorkQueue<string>(clock, { backOff: 1000 })
  const calls: string[] = []
  let failures = 1
  const work = async (key: string) => {
    calls.push(key)
    if (key === 'a' && failures-- > 0) throw new Error('no')
  }
  const ended = workOff(queue, { work, what: 'key', problem: 'it failed', logger: silent }, scope.signal)
  queue.add('a')
  queue.add('b')
  await settled()
  assert.deepEqual(calls, ['a', 'b'])
  await clock.advance(999)
  await settled()
  assert.deepEqual(calls, ['a', 'b'])
  await clock.advance(1)
  await settled()
  assert.deepEqual(calls, ['a', 'b', 'a'])
  assert.equal(queue.failures('a'), 0)
  scope.abort()
  await ended
})

test('workOff ends with its signal, also with one that has aborted before', async () => {
  const queue = createWorkQueue<string>(virtualClock())
  queue.add('a')
  const work = async () => assert.fail('nothing is worked on')
  await workOff(queue, { work, what: 'key', problem: 'it failed', logger: silent, workers: 3 }, AbortSignal.abort())
})
