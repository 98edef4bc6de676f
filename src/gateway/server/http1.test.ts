import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, createServer as createListener, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { eventually } from '../../lib/eventually.fixture.ts'
import { silent } from '../../lib/log.ts'
import { seededRandom } from '../../lib/random.ts'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { createDeadlines } from '../deadlines.ts'
import { refuse } from '../proxy/answer.ts'
import { routeTo, startGateway } from '../proxy/gateway.fixture.ts'
import type { Router } from '../proxy/router.ts'
import type { Visit } from '../proxy/visit.ts'
import { createServer as createGatewayServer } from './server.ts'

const ends: (() => unknown)[] = []
after(async () => {
  for (const end of ends.reverse()) await end()
})

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise(resolve => setImmediate(resolve))
}

test('Http1Connection answers requests in their order, in whatever pieces they come', async () => {
  const own = await startGateway([routeTo('web')])
  ends.push(() => own.close())
  const backend = createServer(async (incoming, response) => {
    let body = ''
    for await (const chunk of incoming.setEncoding('latin1')) body += chunk
    response.end(`<${incoming.method} ${incoming.url} ${body}>`)
  })
  await new Promise<void>(resolve => backend.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    backend.close()
    backend.closeAllConnections()
  })
  own.services.set('web', [{ host: '127.0.0.1', port: (backend.address() as AddressInfo).port }])
  const random = seededRandom(3)
  for (let round = 0; round < 10; round++) {
    let sent = ''
    let expected = ''
    for (let at = 0; at < 8; at++) {
      const body = 'x'.repeat(Math.floor(random.number() * 40))
      const half = Math.floor(body.length / 2)
      const head = `/${round}/${at} HTTP/1.1\r\nHost: a\r\n`
      const chunks = [body.slice(0, half), body.slice(half)].filter(Boolean)
      const way = at % 3
      if (way === 0) sent += `GET ${head}\r\n`
      if (way === 1) sent += `POST ${head}Content-Length: ${body.length}\r\n\r\n${body}`
      if (way === 2)
        sent += `PUT ${head}Transfer-Encoding: chunked\r\n\r\n${chunks.map(each => `${each.length.toString(16)}\r\n${each}\r\n`).join('')}0\r\n\r\n`
      expected += `<${['GET', 'POST', 'PUT'][way]} /${round}/${at} ${way ? body : ''}>`
    }
    const socket = connect(own.port, '127.0.0.1')
    let text = ''
    socket.setEncoding('latin1').on('data', chunk => (text += chunk))
    for (let at = 0; at < sent.length; ) {
      const length = 1 + Math.floor(random.number() * (round % 2 ? 20 : 400))
      socket.write(sent.slice(at, (at += length)), 'latin1')
      if (random.number() < 0.5) await turns(1)
    }
    while ((text.match(/<[^>]*>/g) ?? []).length < 8) await once(socket, 'data')
    assert.equal(text.match(/<[^>]*>/g)!.join(''), expected)
    socket.destroy()
  }
})

/** A server on a virtual clock, and what comes to its router. */
async function start(router: Router = visit => refuse(visit, 404)) {
  const clock = virtualClock()
  const certificates = { contextFor: () => undefined, fallback: () => Promise.reject(new Error('none')) }
  const visits: Visit[] = []
  const server = createGatewayServer({
    router(visit) {
      visits.push(visit)
      router(visit)
    },
    ...{ certificates, clock, deadlines: createDeadlines(clock), logger: silent },
  })
  const taken: Socket[] = []
  const listener = createListener({ allowHalfOpen: true }, socket => {
    taken.push(socket)
    server.plain(socket)
  })
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  ends.push(() => listener.close())
  const { port } = listener.address() as AddressInfo
  /** Connects and says something; what comes back is put together. */
  async function say(text: string) {
    const before = taken.length
    const socket = connect(port, '127.0.0.1')
    const heard = { text: '', ended: false, socket }
    socket.setEncoding('latin1').on('data', chunk => (heard.text += chunk))
    socket.on('error', () => {})
    socket.on('end', () => (heard.ended = true))
    await once(socket, 'connect')
    if (text) socket.write(text, 'latin1')
    ends.push(() => socket.destroy())
    await eventually(() => taken.length > before)
    await turns(20)
    return heard
  }
  return { clock, say, visits, close: server.close }
}

test('Http1Connection gives up a head that does not end, however slowly it goes on', async () => {
  const { clock, say } = await start()
  const slow = await say('GET / HTTP/1.1\r\nHost: a\r\n')
  for (let at = 0; at < 5; at++) {
    slow.socket.write('X: 1\r\n')
    await turns(20)
    await clock.advance(5000)
  }
  assert.equal(slow.text, '')
  slow.socket.write('X: 1\r\n')
  await turns(20)
  await clock.advance(10_000)
  await eventually(() => slow.ended)
  assert.match(slow.text, /^HTTP\/1\.1 408 Request Timeout\r\n[\s\S]*Connection: close/)
})

test('Http1Connection gives up a body of which nothing comes any more', async () => {
  let gone = false
  const { clock, say, visits } = await start(visit => {
    visit.events.gone = () => (gone = true)
    visit.take({ data() {}, end() {} })
  })
  const slow = await say('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12')
  await eventually(() => visits.length === 1)
  await clock.advance(50_000)
  slow.socket.write('3')
  await turns(20)
  await clock.advance(50_000)
  assert.deepEqual([slow.text, gone], ['', false])
  await clock.advance(15_000)
  await eventually(() => slow.ended)
  assert.match(slow.text, /^HTTP\/1\.1 408 /)
  assert.ok(gone)
})

test('Http1Connection closes a connection between two requests after 75 s, without a word', async () => {
  const { clock, say } = await start()
  const kept = await say('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await eventually(() => kept.text.includes('404 Not Found: '))
  const { text } = kept
  assert.match(text, /Keep-Alive: timeout=75\r\n/)
  await clock.advance(74_000)
  assert.equal(kept.ended, false)
  await clock.advance(6_000)
  await eventually(() => kept.ended)
  assert.equal(kept.text, text)
  // Nothing is looked at any more.
  await eventually(() => clock.nextDue() === undefined)
})

const closing: readonly [what: string, text: string, status: number][] = [
  ['a body that nobody takes', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET ', 404],
  ['an unknown expectation', 'GET / HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\n\r\n', 417],
  ['another version', 'GET / HTTP/3.0\r\nHost: a\r\n\r\n', 505],
  ['many fields', `GET / HTTP/1.1\r\nHost: a\r\n${'X: 1\r\n'.repeat(100)}\r\n`, 431],
  ['a client of HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\n\r\n', 404],
  ['a client that closes', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 404],
]
for (const [what, text, status] of closing) {
  test(`Http1Connection ends a connection after ${what}, with ${status}`, async () => {
    const { say } = await start()
    const heard = await say(`${text}GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n`)
    await eventually(() => heard.ended)
    assert.match(heard.text, new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*Connection: close`))
    assert.equal(heard.text.match(/HTTP\/1\.1/g)!.length, 1)
  })
}

test('Http1Connection tells a client to go on with its body once somebody takes it', async () => {
  const { say } = await start(visit => {
    let body = ''
    visit.take({
      data: chunk => (body += chunk),
      end() {
        visit.begin({ status: 200, reason: 'OK', fields: [], body: 'unsized' })
        visit.write(Buffer.from(body))
        visit.end(['X-Sum', '1'])
      },
    })
  })
  const asking = await say('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n')
  await eventually(() => asking.text === 'HTTP/1.1 100 Continue\r\n\r\n')
  asking.socket.write('ab')
  await eventually(() => asking.text.endsWith('\r\n2\r\nab\r\n0\r\nX-Sum: 1\r\n\r\n'))
  const refused = await start()
  const other = await refused.say('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n')
  await eventually(() => other.ended)
  assert.match(other.text, /^HTTP\/1\.1 404 /)
})

test('Http1Connection writes an answer to HEAD, and one without a body, so that the next one is found', async () => {
  const { say } = await start(visit => {
    const isLong = visit.inbound.path === '/long'
    visit.begin({
      status: 200,
      reason: 'OK',
      fields: isLong ? ['Content-Length', '4'] : [],
      body: isLong ? 'sized' : 'none',
    })
    if (isLong) visit.write(Buffer.from('long'))
    visit.end([])
  })
  const heard = await say(
    'HEAD /long HTTP/1.1\r\nHost: a\r\n\r\nGET /none HTTP/1.1\r\nHost: a\r\n\r\nGET /long HTTP/1.1\r\nHost: a\r\n\r\n',
  )
  await eventually(() => heard.text.endsWith('\r\n\r\nlong'))
  assert.deepEqual(heard.text.match(/Content-Length: \d|\r\n\r\n(?:HTTP|long)/g), [
    'Content-Length: 4',
    '\r\n\r\nHTTP',
    'Content-Length: 0',
    '\r\n\r\nHTTP',
    'Content-Length: 4',
    '\r\n\r\nlong',
  ])
})
