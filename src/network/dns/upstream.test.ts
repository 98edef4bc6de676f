import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { type TestContext, test } from 'node:test'
import packet, { type Answer, type Packet } from 'dns-packet'
import { realClock } from '../../lib/clock.ts'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { createDnsCache } from './cache.ts'
import { parseNameServer, readDnsSettings, serversFor } from './settings.ts'
import { createUpstream } from './upstream.ts'

const query = (name: string, more: Partial<Packet> = {}) =>
  packet.encode({ type: 'query', id: 7, flags: 256, questions: [{ type: 'A', name }], ...more })
const reply = (asked: Buffer, more: Partial<Packet>) => {
  const { id, questions } = packet.decode(asked)
  return packet.encode({ type: 'response', id: id!, flags: 0x180, questions: questions!, ...more })
}
const address = (name: string, ttl: number): Answer => ({ type: 'A', name, ttl, data: '192.0.2.1' })
const soa = (minimum: number): Answer => ({
  type: 'SOA',
  name: 'example',
  ttl: 3600,
  data: { mname: 'ns.example', rname: 'root.example', serial: 1, refresh: 1, retry: 1, expire: 1, minimum },
})

test('readDnsSettings reads domains and servers, and names what is wrong', () => {
  const settings = readDnsSettings({
    stubDomains: '{"Corp.Example.": ["10.0.0.53"], "deep.corp.example": ["10.0.0.54:8600"]}',
    upstreamNameservers: '["192.0.2.1", "[2001:db8::1]:5353"]',
  })
  assert.deepEqual(settings.upstream, [
    { address: '192.0.2.1', port: 53 },
    { address: '2001:db8::1', port: 5353 },
  ])
  const asked = (name: string) => serversFor(settings, name)?.map(({ address: at, port }) => `${at}:${port}`)
  assert.deepEqual(asked('a.b.CORP.example'), ['10.0.0.53:53'])
  assert.deepEqual(asked('corp.example'), ['10.0.0.53:53'])
  assert.deepEqual(asked('x.deep.corp.example'), ['10.0.0.54:8600'])
  assert.deepEqual(asked('notcorp.example'), ['192.0.2.1:53', '2001:db8::1:5353'])
  assert.equal(serversFor(readDnsSettings(), 'a.example'), undefined)
})

for (const [data, message] of [
  [{ stubDomains: '{' }, /^stubDomains: /],
  [{ stubDomains: '["10.0.0.1"]' }, /^stubDomains: expected an object/],
  [{ stubDomains: '{"a": "10.0.0.1"}' }, /^stubDomains of a: expected a list/],
  [{ upstreamNameservers: '["dns.example"]' }, /^"dns.example" is no name server/],
  [{ upstreamNameservers: '["192.0.2.1:0"]' }, /is no name server/],
] as const)
  test(`readDnsSettings refuses ${JSON.stringify(data)}`, () => assert.throws(() => readDnsSettings(data), { message }))

test('parseNameServer takes addresses of both families with and without ports', () => {
  assert.deepEqual(parseNameServer('2001:db8::1'), { address: '2001:db8::1', port: 53 })
  assert.deepEqual(parseNameServer('192.0.2.1:54'), { address: '192.0.2.1', port: 54 })
})

/** A cache over a server that answers as told, and how often that was asked. */
function cached(answer: (asked: Buffer) => Buffer | undefined) {
  const clock = virtualClock()
  const state = { asked: 0 }
  const ask = createDnsCache(async asked => {
    state.asked++
    return answer(asked)
  }, clock)
  const get = async (name: string, more: Partial<Packet> = {}, tcp = false) => {
    const bytes = await ask(query(name, more), name, tcp)
    return bytes && packet.decode(bytes)
  }
  return { clock, state, get }
}

test('createDnsCache hands out an answer until its time is over, as one to each query', async () => {
  const { clock, state, get } = cached(asked => reply(asked, { answers: [address('a.example', 20)] }))
  assert.equal((await get('a.example'))?.answers?.[0]?.ttl, 20)
  await clock.advance(5000)
  const again = await get('A.example', { id: 99 })
  assert.equal(again?.id, 99)
  assert.equal(again?.questions?.[0]?.name, 'A.example')
  assert.equal(again?.answers?.[0]?.ttl, 15)
  assert.equal(state.asked, 1)
  await clock.advance(15_000)
  assert.equal((await get('a.example'))?.answers?.[0]?.ttl, 20)
  assert.equal(state.asked, 2)
})

const lives: readonly [title: string, answer: Partial<Packet>, seconds: number][] = [
  ['a long one for half a minute', { answers: [address('a.example', 3600)] }, 30],
  ['the shortest of several', { answers: [address('a.example', 20), address('a.example', 3)] }, 3],
  ['no such name for as long as the zone says', { flags: 0x183, authorities: [soa(10)] }, 10],
  ['nothing of that type for as long as the zone says', { authorities: [soa(10)] }, 10],
  ['a negative one without a zone: not at all', { flags: 0x183 }, 0],
  ['a failure: not at all', { flags: 0x182 }, 0],
  ['a truncated one: not at all', { flags: 0x380, answers: [address('a.example', 20)] }, 0],
  ['time of zero: not at all', { answers: [address('a.example', 0)] }, 0],
]
for (const [title, answer, seconds] of lives)
  test(`createDnsCache keeps ${title}`, async () => {
    const { clock, state, get } = cached(asked => reply(asked, answer))
    await get('a.example')
    if (seconds > 0) {
      await clock.advance(seconds * 1000 - 1)
      await get('a.example')
      assert.equal(state.asked, 1)
      await clock.advance(1)
    }
    await get('a.example')
    assert.equal(state.asked, 2)
  })

test('createDnsCache keeps answers by type, transport and options apart, and asks once for many', async () => {
  const { state, get } = cached(asked => reply(asked, { answers: [address('a.example', 20)] }))
  await Promise.all([get('a.example', { id: 1 }), get('a.example', { id: 2 }), get('a.example', { id: 3 })])
  assert.equal(state.asked, 1)
  await get('a.example', {}, true)
  await get('a.example', { questions: [{ type: 'AAAA', name: 'a.example' }] })
  await get('a.example', { additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 4096 }] })
  assert.equal(state.asked, 4)
})

/** Starts a server that answers everything so; resolves with its port. */
function serve(t: TestContext, heard: string[], name: string, answer: Partial<Packet>): Promise<number> {
  return new Promise(resolve => {
    const socket = createSocket('udp4')
    socket.on('message', (asked, from) => {
      heard.push(name)
      socket.send(reply(asked, answer), from.port, from.address)
    })
    socket.bind(0, '127.0.0.1', () => resolve(socket.address().port))
    t.after(() => socket.close())
  })
}
const GOOD = { answers: [address('a.example', 20)] }

for (const [what, flags] of [
  ['fails', 0x182],
  ['knows nothing of the kind', 0x184],
  ['refuses', 0x185],
] as const)
  test(`createUpstream asks the next server when one ${what}, and says what the first said when all do`, async t => {
    const heard: string[] = []
    const [bad, worse, good] = [
      await serve(t, heard, 'bad', { flags }),
      await serve(t, heard, 'worse', { flags: 0x182 }),
      await serve(t, heard, 'good', GOOD),
    ]
    const ask = async (...ports: number[]) => {
      const settings = readDnsSettings({ upstreamNameservers: JSON.stringify(ports.map(port => `127.0.0.1:${port}`)) })
      const upstream = createUpstream({ file: '/nonexistent', own: [], settings: () => settings }, { clock: realClock })
      const answer = packet.decode((await upstream.ask(query('a.example'), 'a.example', false))!)
      return [answer.flags! & 15, ...heard.splice(0)]
    }
    assert.deepEqual(await ask(bad, good), [0, 'bad', 'good'])
    assert.deepEqual(await ask(bad, worse), [flags & 15, 'bad', 'worse'])
  })

test('createUpstream asks the server of the domain, and the next when one is silent', async t => {
  const heard: string[] = []
  const [stub, other] = [await serve(t, heard, 'stub', GOOD), await serve(t, heard, 'other', GOOD)]
  // Nobody listens there: the system refuses at once.
  const gone = createSocket('udp4')
  const silent = await new Promise<number>(resolve => gone.bind(0, '127.0.0.1', () => resolve(gone.address().port)))
  await new Promise<void>(resolve => gone.close(resolve))
  const settings = readDnsSettings({
    stubDomains: JSON.stringify({ 'corp.example': [`127.0.0.1:${stub}`] }),
    upstreamNameservers: JSON.stringify([`127.0.0.1:${silent}`, `127.0.0.1:${other}`]),
  })
  const upstream = createUpstream({ file: '/nonexistent', own: [], settings: () => settings }, { clock: realClock })
  for (const name of ['a.corp.example', 'a.example', 'b.example'])
    assert.equal(packet.decode((await upstream.ask(query(name), name, false))!).id, 7)
  assert.deepEqual(heard, ['stub', 'other', 'other'])
  upstream.close()
})
