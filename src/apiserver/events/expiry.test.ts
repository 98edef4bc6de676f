import assert from 'node:assert/strict'
import test from 'node:test'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { memoryStore } from '../../store/memory/memory.ts'
import { ADMIN, startServer } from '../bootstrap/server.fixture.ts'

const EVENTS = '/api/v1/namespaces/default/events'
const HOUR = 3_600_000
const event = (name: string, count = 1) => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name, namespace: 'default' },
  involvedObject: { kind: 'Pod', name: 'web', namespace: 'default' },
  reason: 'Test',
  count,
})

async function start(options: Parameters<typeof startServer>[0] = {}) {
  const api = await startServer(options)
  const names = async () =>
    (await api.send(ADMIN, 'GET', EVENTS)).object.items.map(
      (each: { metadata: { name: string } }) => each.metadata.name,
    )
  const post = (name: string) => api.send(ADMIN, 'POST', EVENTS, event(name))
  return { ...api, names, post }
}

test('expireEvents removes events an hour after they were last written', async () => {
  const { server, clock, names, post, send } = await start()
  await post('a')
  await clock.advance(HOUR / 2)
  await post('b')
  const { object } = await send(ADMIN, 'GET', `${EVENTS}/a`)
  await post('c')
  await send(ADMIN, 'PUT', `${EVENTS}/a`, { ...object, count: 2 })
  await clock.advance(HOUR / 2)
  assert.deepEqual(await names(), ['a', 'b', 'c'])
  await clock.advance(HOUR / 2 - 1)
  assert.deepEqual(await names(), ['a', 'b', 'c'])
  await clock.advance(1)
  assert.deepEqual(await names(), [])
  await server.close()
})

test('expireEvents does not mind events that are gone or many', async () => {
  const { server, clock, names, post, send } = await start()
  for (let at = 0; at < 250; at++) await post(`e-${at}`)
  await send(ADMIN, 'DELETE', `${EVENTS}/e-7`)
  await clock.advance(HOUR)
  await clock.advance(0)
  assert.deepEqual(await names(), [])
  await server.close()
})

test('expireEvents goes on where it was after a restart, and keeps to the time it is told', async () => {
  const clock = virtualClock()
  const store = memoryStore({ clock })
  const extensions = { eventTtl: 60_000 }
  const first = await start({ clock, store, extensions })
  await first.post('a')
  await first.server.close()
  await clock.advance(30_000)
  const second = await start({ clock, store, extensions })
  assert.deepEqual(await second.names(), ['a'])
  await clock.advance(30_000)
  assert.deepEqual(await second.names(), [])
  await second.server.close()
})
