import assert from 'node:assert/strict'
import { it } from 'node:test'
import { settled, virtualClock } from '../../lib/virtual-clock.ts'
import { StoreError } from '../store.ts'
import type { Batch } from './batch.ts'
import { createCommitLine } from './commit-line.ts'

const full = new StoreError('full', 'no room')

/** A line over a disk that the test moves. `told` is what happened, in order. */
function lineOf() {
  const clock = virtualClock()
  const told: string[] = []
  let disk: { batch: Batch; done: (error: StoreError | undefined) => void } | undefined
  const line = createCommitLine({
    clock,
    soon: then => then(),
    write(batch, done) {
      assert.equal(disk, undefined, 'two batches are under way')
      disk = { batch, done }
    },
    takeForgotten: () => ({ ids: [], compacted: 0 }),
    returnForgotten() {},
    together: acknowledge => acknowledge(),
    onRefused: () => told.push('refused'),
  })
  return {
    clock,
    line,
    told,
    push(name: string, kind: 'durable' | 'relaxed' | 'conflict', bytes = 10) {
      const row = { id: 1, key: name, created: 1, value: Buffer.alloc(bytes) }
      line.push({
        rows: kind === 'conflict' ? [] : [row],
        relaxed: kind !== 'durable',
        acknowledge: () => told.push(`+${name}`),
        refuse: () => told.push(`-${name}`),
        written: () => told.push(`=${name}`),
      })
    },
    /** Keys of the batch under way. */
    batch: () => disk?.batch.rows.map(row => row.key),
    durable: () => disk?.batch.durable,
    end(error?: StoreError) {
      const { done } = disk!
      disk = undefined
      done(error)
    },
  }
}

it('push sends what came while a batch was under way as the next batch', () => {
  const { push, batch, end, told } = lineOf()
  for (const name of ['a', 'b', 'c']) push(name, 'durable')
  assert.deepEqual(batch(), ['a'])
  end()
  assert.deepEqual(batch(), ['b', 'c'])
  assert.deepEqual(told, ['+a', '=a'])
  end()
  assert.deepEqual(told, ['+a', '=a', '+b', '+c', '=b', '=c'])
})

it('push acknowledges a relaxed commit at once, but never before a durable one that stands ahead of it', () => {
  const { push, durable, end, told } = lineOf()
  push('r1', 'relaxed')
  assert.equal(durable(), false)
  push('d', 'durable')
  push('r2', 'relaxed')
  assert.deepEqual(told, ['+r1'])
  end()
  assert.equal(durable(), true)
  end()
  assert.deepEqual(told, ['+r1', '=r1', '+d', '+r2', '=d', '=r2'])
})

it('push answers a conflict after the commit that it is with', () => {
  const { push, batch, end, told } = lineOf()
  push('d', 'durable')
  push('conflict', 'conflict')
  assert.deepEqual(told, [])
  end()
  assert.deepEqual(told, ['+d', '+conflict', '=d'])
  assert.equal(batch(), undefined)
})

it('a failed batch refuses what was not acknowledged, and what was is written before anything else', async () => {
  const { clock, push, batch, end, told } = lineOf()
  push('r', 'relaxed')
  push('d', 'durable')
  end(full)
  assert.deepEqual(told, ['+r', '-d', 'refused'])
  // While the disk is full nothing is acknowledged before it is written.
  push('r2', 'relaxed')
  assert.deepEqual(batch(), ['r', 'r2'])
  end(full)
  assert.deepEqual(told.slice(3), ['-r2', 'refused'])
  await clock.advance(1000)
  assert.deepEqual(batch(), ['r'])
  end()
  assert.deepEqual(told.slice(5), ['=r'])
  push('d2', 'durable')
  end()
  assert.deepEqual(told.slice(6), ['+d2', '=d2'])
})

it('relaxed commits wait like durable ones when too many bytes are owed to the disk', () => {
  const { push, end, told } = lineOf()
  for (const name of ['a', 'b', 'c', 'd', 'e']) push(name, 'relaxed', 10 * 2 ** 20)
  assert.deepEqual(told, ['+a', '+b', '+c', '+d'])
  end()
  assert.deepEqual(told.slice(4), ['+e', '=a'])
})

it('drain resolves when everything is written, and rejects when that fails', async () => {
  const good = lineOf()
  good.push('r', 'relaxed')
  let drained = false
  void good.line.drain().then(() => {
    drained = true
  })
  await settled()
  assert.equal(drained, false)
  good.end()
  await settled()
  assert.equal(drained, true)

  const bad = lineOf()
  bad.push('r', 'relaxed')
  const failing = assert.rejects(bad.line.drain(), full)
  bad.end(full)
  await failing
})
