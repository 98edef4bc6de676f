import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { after, test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { createDeadlines } from '../deadlines.ts'
import { openConnections } from './connections.ts'
import { routeTo, startGateway } from './gateway.fixture.ts'

const ends: (() => unknown)[] = []
after(async () => {
  for (const end of ends.reverse()) await end()
})

async function listen(server: Server) {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}

async function gateway(endpoints: Parameters<Awaited<ReturnType<typeof startGateway>>['services']['set']>[1]) {
  const own = await startGateway([routeTo('web')])
  ends.push(() => own.close())
  own.services.set('web', endpoints)
  return own
}

async function echoServer() {
  const server = createServer((_, response) => response.end('plain'))
  const sockets = new WebSocketServer({ server })
  const requests: { readonly url?: string | undefined; readonly client: unknown }[] = []
  sockets.on('connection', (socket, { url, headers }) => {
    requests.push({ url, client: headers['x-forwarded-for'] })
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  })
  ends.push(() => sockets.close())
  return { ...(await listen(server)), requests, sockets }
}

test('upgrade carries a WebSocket both ways, and its end', async () => {
  const target = await echoServer()
  const own = await gateway([target])
  const client = new WebSocket(`ws://127.0.0.1:${own.port}/chat?room=1`, ['v1'])
  await once(client, 'open')
  for (const message of ['hello', 'x'.repeat(300_000)]) {
    client.send(message)
    const [data] = await once(client, 'message')
    assert.equal(String(data), message)
  }
  assert.deepEqual(target.requests, [{ url: '/chat?room=1', client: '127.0.0.1' }])
  const [serverSide] = target.sockets.clients
  const closed = once(serverSide!, 'close')
  client.close(1000)
  assert.equal((await closed)[0], 1000)
})

test('upgrade ends the client when the backend ends', async () => {
  const target = await echoServer()
  const own = await gateway([target])
  const client = new WebSocket(`ws://127.0.0.1:${own.port}/`)
  await once(client, 'open')
  const closed = once(client, 'close')
  for (const each of target.sockets.clients) each.terminate()
  await closed
})

test('upgrade hands on the answer of a backend that wants no WebSocket', async () => {
  const target = await listen(createServer((_, response) => response.writeHead(403).end('no')))
  const own = await gateway([target])
  const client = new WebSocket(`ws://127.0.0.1:${own.port}/`)
  const [, answer] = await once(client, 'unexpected-response')
  assert.equal(answer.statusCode, 403)
  client.on('error', () => {})
})

test('upgrade answers 503 where there is no backend', async () => {
  const own = await gateway([])
  const client = new WebSocket(`ws://127.0.0.1:${own.port}/`)
  const [, answer] = await once(client, 'unexpected-response')
  assert.equal(answer.statusCode, 503)
  client.on('error', () => {})
})

test('openConnections gives up a backend that takes no connection for 5 s', async () => {
  const clock = virtualClock()
  const endpoint = { host: 'never.example', port: 80, external: false, protocol: 'http', inFlight: 0 } as const
  const connections = openConnections({
    ...{ clock, deadlines: createDeadlines(clock) },
    // Its name is looked up for ever.
    dial: ({ host, port }) => connect({ host, port, lookup() {} }),
  })
  const outgoing = {
    method: 'GET',
    path: '/',
    fields: [],
    body: 'none',
    upgrade: true,
    once: true,
    fresh: true,
  } as const
  let code: string | undefined
  const unexpected = () => assert.fail('nothing answers')
  connections.send(endpoint, outgoing, {
    ...{ connected: unexpected, answered: unexpected, data: unexpected, ended: unexpected, settled: unexpected },
    ...{ upgraded: unexpected, drained: unexpected },
    failed: error => (code = error.code),
  })
  assert.equal(endpoint.inFlight, 1)
  await clock.advance(4999)
  assert.equal(code, undefined)
  await clock.advance(1)
  assert.deepEqual([code, endpoint.inFlight], ['ETIMEDOUT', 0])
})

test('upgrade answers as other requests are where the backend may not be reached', async () => {
  const own = await gateway([])
  own.services.set('web', [], { type: 'ExternalName', externalName: '127.0.0.1', ports: [{ port: 80 }] })
  const client = new WebSocket(`ws://127.0.0.1:${own.port}/`)
  const [, answer] = await once(client, 'unexpected-response')
  assert.equal(answer.statusCode, 502)
  client.on('error', () => {})
})

test('createServer passes no other protocol on: the request is a plain one', async () => {
  const target = await echoServer()
  const own = await gateway([target])
  const socket = connect({ host: '127.0.0.1', port: own.port })
  socket.write(
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n',
  )
  const [data] = await once(socket.setEncoding('utf8'), 'data')
  assert.match(data, /^HTTP\/1\.1 200 /)
  socket.destroy()
})

test('createServer cuts WebSockets at once when it closes', async () => {
  const target = await echoServer()
  const own = await gateway([target])
  const client = new WebSocket(`ws://127.0.0.1:${own.port}/`)
  await once(client, 'open')
  const closed = once(client, 'close')
  await own.close(60_000)
  await closed
})
