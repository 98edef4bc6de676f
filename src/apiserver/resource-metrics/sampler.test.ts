import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeApi } from '../../client/node-api.ts'
import { silent } from '../../lib/log.ts'
import { settled, virtualClock } from '../../lib/virtual-clock.ts'
import { createSampler } from './sampler.ts'

/** A node that works with half a core, on its own clock, which is the test's. */
function start() {
  const clock = virtualClock()
  const began = clock.now()
  let questions = 0
  let failing = false
  const serve: NonNullable<NodeApi['serve']> = async () => {
    questions++
    if (failing) throw new Error('gone')
    const now = clock.now()
    const text = `node_cpu_usage_seconds_total ${(now - began) / 2000} ${now}\nnode_memory_working_set_bytes 1024 ${now}\n`
    return {
      status: 200,
      contentType: 'text/plain',
      body: (async function* () {
        yield Buffer.from(text)
      })(),
    }
  }
  const sampler = createSampler({
    nodes: name => (name === 'n' ? ({ serve } as NodeApi) : undefined),
    clock,
    logger: silent,
  })
  return {
    clock,
    sampler,
    questions: () => questions,
    fail: (failed: boolean) => void (failing = failed),
    /** Asks, and lets as much time pass as the answer takes. */
    async ask() {
      const asked = sampler.usage('n')
      let done = false
      void asked.then(() => (done = true))
      await settled()
      while (!done && clock.step()) await settled()
      return (await asked)?.node
    },
  }
}

test('createSampler takes two looks for a first answer, a second apart', async () => {
  const { ask, questions } = start()
  const first = await ask()
  assert.deepEqual([first?.window, first?.resources.cpu, first?.resources.memory], [1000, '500m', '1Ki'])
  assert.equal(questions(), 2)
})

test('createSampler asks once for all who want to know at a time, and for a while after', async () => {
  const { clock, ask, sampler, questions } = start()
  await Promise.all([ask(), sampler.usage('n'), sampler.usage('n')])
  assert.equal(questions(), 2)
  await clock.advance(4_999)
  await ask()
  assert.equal(questions(), 2)
})

test('createSampler answers later questions by one look, with a rate since some seconds ago', async () => {
  const { clock, ask, questions } = start()
  await ask()
  const windows: (number | undefined)[] = []
  for (const pause of [5_000, 5_000, 5_000, 15_000, 15_000, 40_000]) {
    await clock.advance(pause)
    windows.push((await ask())?.window)
  }
  assert.deepEqual(windows, [6_000, 10_000, 10_000, 15_000, 15_000, 40_000])
  assert.equal(questions(), 8)
})

test('createSampler begins anew after a minute without a question, and has no timer meanwhile', async () => {
  const { clock, ask, questions } = start()
  await ask()
  assert.equal(clock.nextDue(), undefined)
  await clock.advance(60_001)
  assert.equal((await ask())?.window, 1000)
  assert.equal(questions(), 4)
})

test('createSampler says nothing of a node that does not answer, and asks it again', async () => {
  const { clock, ask, fail, sampler } = start()
  fail(true)
  assert.equal(await ask(), undefined)
  assert.equal(await sampler.usage('unknown'), undefined)
  fail(false)
  assert.equal((await ask())?.window, 1000)
  await clock.advance(6_000)
  fail(true)
  assert.equal(await ask(), undefined)
  fail(false)
  assert.equal((await ask())?.window, 7_000)
})

test('createSampler forgets nodes that are gone', async () => {
  const { ask, sampler, questions } = start()
  await ask()
  sampler.retain(new Set(['other']))
  await ask()
  assert.equal(questions(), 4)
})
