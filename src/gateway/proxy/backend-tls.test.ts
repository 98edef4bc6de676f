import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createPlainServer, request } from 'node:http'
import { createServer } from 'node:https'
import { type AddressInfo, connect, type Server } from 'node:net'
import { after, before, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { createAuthority, issueCertificate } from '../../lib/pki/certificate.ts'
import { routeTo, startGateway, type TestGateway } from './gateway.fixture.ts'

const LIFETIME = 24 * 3600_000
const HTTPS = { ports: [{ name: 'http', port: 80, appProtocol: 'https' }] }
const ends: (() => unknown)[] = []
after(async () => {
  for (const end of ends.reverse()) await end()
})

let own: TestGateway
let connections = 0

async function listening(server: Server & { closeAllConnections?(): void }) {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    server.close()
    server.closeAllConnections?.()
  })
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}

before(async () => {
  const dates = { now: Date.now(), lifetime: LIFETIME }
  const authority = await createAuthority({ commonName: 'test', ...dates })
  const { certificate, key } = await issueCertificate(authority, {
    ...{ usage: 'server', commonName: 'pod', hosts: ['pod'], ...dates },
  } as const)
  const server = createServer({ cert: certificate, key }, async (incoming, response) => {
    let body = ''
    for await (const chunk of incoming.setEncoding('utf8')) body += chunk
    response.end(`${incoming.method} ${body} ${(incoming.socket as TLSSocket).encrypted}`)
  })
  server.keepAliveTimeout = 600_000
  server.on('secureConnection', () => connections++)
  server.on('upgrade', (_, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    socket.pipe(socket)
  })
  const route = routeTo('web', { host: 'said.example' })
  own = await startGateway([
    routeTo('web'),
    { ...route, target: { ...route.target!, service: 'said', protocol: 'https' } },
    routeTo('plain', { host: 'plain.example' }),
  ])
  ends.push(() => own.close())
  const address = await listening(server)
  own.services.set('web', [address], HTTPS)
  own.services.set('said', [address])
  own.services.set('plain', [await listening(createPlainServer((_, response) => response.end('plain')))], HTTPS)
})

/** Resolves with the status and the text of an answer. */
async function ask(method: string, host = 'web.example', body = ''): Promise<string> {
  const sent = request({ host: '127.0.0.1', port: own.port, method, headers: { Host: host } })
  sent.end(body)
  const [response] = await once(sent, 'response')
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  return `${response.statusCode} ${text}`
}

test('dial speaks TLS to backends whose port says so, and keeps connections as without', async () => {
  for (const _ of [1, 2]) assert.equal(await ask('GET'), '200 GET  true')
  assert.equal(connections, 1)
  for (const text of ['a', 'b', 'x'.repeat(100_000)])
    assert.equal(await ask('POST', 'web.example', text), `200 POST ${text} true`)
  assert.equal(await ask('PUT', 'said.example', 'c'), '200 PUT c true', 'or where the route does')
})

test('dial carries WebSockets over TLS', async () => {
  const socket = connect({ host: '127.0.0.1', port: own.port })
  let text = ''
  socket.setEncoding('latin1').on('data', chunk => (text += chunk))
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  while (!text.endsWith('\r\n\r\n')) await once(socket, 'data')
  assert.match(text, /^HTTP\/1\.1 101 /)
  socket.write('hello')
  while (!text.endsWith('hello')) await once(socket, 'data')
  socket.destroy()
})

test('dial fails where a backend does not speak the TLS that its port promises: 502', async () => {
  assert.match(await ask('POST', 'plain.example', 'a'), /^502 /)
})
