import assert from 'node:assert/strict'
import { it } from 'node:test'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { storeContract } from '../store.contract.ts'
import { memoryStore } from './memory.ts'

storeContract('memory', async ({ events } = {}) => memoryStore(events ? { history: { events } } : {}))

const value = Buffer.alloc(1000)

it('memoryStore forgets the past by age, when something is written', async () => {
  const clock = virtualClock()
  const store = memoryStore({ clock, history: { age: 1000 } })
  await store.commit([{ type: 'put', key: '/a', value }])
  await clock.advance(900)
  await store.commit([{ type: 'put', key: '/a', value }])
  await clock.advance(900)
  assert.equal(store.compactedRevision(), 0)
  await store.commit([{ type: 'put', key: '/a', value }])
  assert.equal(store.compactedRevision(), 1)
})

it('memoryStore forgets the past by the bytes that only the past holds', async () => {
  const store = memoryStore({ history: { bytes: 3000 } })
  for (let at = 0; at < 10; at++) await store.commit([{ type: 'put', key: `/new${at}`, value }])
  assert.equal(store.compactedRevision(), 0)
  for (let at = 0; at < 10; at++) await store.commit([{ type: 'put', key: '/new0', value }])
  assert.equal(store.compactedRevision(), 17)
})
