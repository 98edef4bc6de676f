import assert from 'node:assert/strict'
import { test } from 'node:test'
import { localTransport } from './transport.ts'

const USER = { username: 'u', groups: [] } as never
/** More than one answer may have. */
const ENDLESS = Array.from({ length: 65 }, () => Buffer.alloc(1 << 20, '1'))

/** A transport that is answered by an aggregated server, in these chunks. */
const relayed = (...chunks: (string | Buffer)[]) =>
  localTransport(async () => {
    async function* stream() {
      for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    }
    return { type: 'relayed', status: 200, received: { 'content-type': 'application/json' }, stream: stream() } as never
  }, USER)
const get = { method: 'GET', path: '/apis/x.dev/v1/things' } as const
const watch = { ...get, query: { watch: 'true' } } as const

test('localTransport reads what an aggregated server answers, however it is cut', async () => {
  assert.deepEqual((await relayed('{"a"', ':1}')(get)).object, { a: 1 })
  const { events } = await relayed('{"type":"ADD', 'ED"}\n{"type":"MODIFIED"}', '\n{"type":"DELETED"', '}\n')(watch)
  const batches: unknown[] = []
  for await (const batch of events!) batches.push(batch.map(({ type }) => type))
  assert.deepEqual(batches, [['ADDED'], ['MODIFIED'], ['DELETED']])
})

test('localTransport gives up an aggregated server whose answer or event does not end', async () => {
  const message = 'the answer is longer than 67108864 bytes'
  await assert.rejects(relayed(...ENDLESS)(get), { message })
  const { events } = await relayed('{"type":"ADDED"}\n', ...ENDLESS)(watch)
  const read = async () => {
    for await (const batch of events!) assert.equal(batch.length, 1)
  }
  await assert.rejects(read(), { message: 'an event is longer than 67108864 bytes' })
})
