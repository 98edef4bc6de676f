import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { type TLSSocket, connect as tlsConnect } from 'node:tls'
import { createAuthority, issueCertificate, type KeyPair } from '../../lib/pki/certificate.ts'
import { routeTo, startGateway, type TestGateway } from '../proxy/gateway.fixture.ts'

const LIFETIME = 24 * 3600_000
const ends: (() => unknown)[] = []
after(async () => {
  for (const end of ends.reverse()) await end()
})

let authority: KeyPair
let own: TestGateway
const certificateFor = (...hosts: string[]) =>
  issueCertificate(authority, { usage: 'server', commonName: hosts[0]!, hosts, now: Date.now(), lifetime: LIFETIME })

before(async () => {
  authority = await createAuthority({ commonName: 'test', now: Date.now(), lifetime: LIFETIME })
  const [shop, fallback] = await Promise.all([certificateFor('shop.example'), certificateFor('fallback')])
  own = await startGateway([routeTo('web')], { 'shop.example': shop, '': fallback })
  ends.push(() => own.close())
  const backend = createServer(async (incoming, response) => {
    let body = ''
    for await (const chunk of incoming.setEncoding('utf8')) body += chunk
    const { method, url, headers } = incoming
    response.setHeader('Set-Cookie', ['a=1', 'b=2'])
    response.setHeader('Keep-Alive', 'timeout=5')
    response.end(JSON.stringify({ method, url, headers, body }))
  })
  await new Promise<void>(resolve => backend.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    backend.close()
    backend.closeAllConnections()
  })
  own.services.set('web', [{ host: '127.0.0.1', port: (backend.address() as AddressInfo).port }])
})

/** The names of the certificate that is shown to who asks for a host. */
async function shownTo(servername: string | undefined): Promise<string | undefined> {
  const socket = tlsConnect({
    host: '127.0.0.1',
    port: own.securePort,
    rejectUnauthorized: false,
    ...(servername && { servername }),
  })
  await once(socket, 'secureConnect')
  const { subjectaltname } = socket.getPeerCertificate()
  socket.destroy()
  return subjectaltname
}

test('createServer shows the certificate of the host that is named, else the fallback', async () => {
  assert.equal(await shownTo('shop.example'), 'DNS:shop.example')
  assert.equal(await shownTo('other.example'), 'DNS:fallback')
  assert.equal(await shownTo(undefined), 'DNS:fallback')
})

test('createServer lets a client take its session up again, though nobody was connected since', async () => {
  const connect = (session?: Buffer) =>
    tlsConnect({
      ...{ host: '127.0.0.1', port: own.securePort, servername: 'shop.example', rejectUnauthorized: false },
      ...(session && { session }),
    })
  const first = connect()
  const [session] = await once(first, 'session')
  first.destroy()
  await once(first, 'close')
  const second = connect(session)
  await once(second, 'secureConnect')
  assert.ok(second.isSessionReused())
  second.destroy()
})

test('createServer speaks HTTP/1.1 over TLS', async () => {
  const { certificate: ca } = authority
  const sent = request({ host: '127.0.0.1', port: own.securePort, servername: 'shop.example', ca, agent: false })
  sent.setHeader('Host', 'shop.example')
  sent.end()
  const [response] = await once(sent, 'response')
  let text = ''
  for await (const chunk of response) text += chunk
  const { headers } = JSON.parse(text)
  assert.deepEqual([headers['x-forwarded-proto'], headers['x-forwarded-port']], ['https', '443'])
})

function openHttp2() {
  const session = connectHttp2('https://shop.example', {
    createConnection: () =>
      tlsConnect({
        host: '127.0.0.1',
        port: own.securePort,
        servername: 'shop.example',
        ca: authority.certificate,
        ALPNProtocols: ['h2'],
      }) as TLSSocket,
  })
  ends.push(() => session.destroy())
  return async (headers: Record<string, string | string[]>, body?: string) => {
    const stream = session.request(headers, { endStream: body === undefined })
    if (body !== undefined) stream.end(body)
    const [answer] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status': number }]
    let text = ''
    for await (const chunk of stream.setEncoding('utf8')) text += chunk
    return { answer, text }
  }
}

test('createServer speaks HTTP/2, with many requests at a time', async () => {
  const ask = openHttp2()
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, at) =>
      ask(
        {
          ':authority': 'shop.example',
          ':path': `/${at}?q`,
          ':method': 'POST',
          cookie: ['a=1', 'b=2'],
          'x-real-ip': '1.2.3.4',
        },
        `body ${at}`,
      ),
    ),
  )
  answers.forEach(({ answer, text }, at) => {
    assert.equal(answer[':status'], 200)
    assert.deepEqual(answer['set-cookie'], ['a=1', 'b=2'])
    assert.equal(answer['keep-alive'], undefined)
    const got = JSON.parse(text)
    assert.deepEqual([got.method, got.url, got.body], ['POST', `/${at}?q`, `body ${at}`])
    const { host, cookie, 'x-real-ip': client, 'x-forwarded-host': forwarded } = got.headers
    assert.deepEqual([host, cookie, client, forwarded], ['shop.example', 'a=1; b=2', '127.0.0.1', 'shop.example'])
  })
})

test('createServer lets no backend take a request of HTTP/2 that was broken off for a whole one', async () => {
  const broken = await startGateway([routeTo('web')], { '': await certificateFor('localhost') })
  ends.push(() => broken.close())
  let whole = 0
  const backend = createServer(incoming => {
    incoming.resume().on('end', () => whole++)
    incoming.on('error', () => {})
  })
  await new Promise<void>(resolve => backend.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    backend.close()
    backend.closeAllConnections()
  })
  broken.services.set('web', [{ host: '127.0.0.1', port: (backend.address() as AddressInfo).port }])
  for (const what of ['stream', 'session'] as const) {
    const session = connectHttp2(`https://127.0.0.1:${broken.securePort}`, { rejectUnauthorized: false })
    const asked = once(backend, 'request')
    const stream = session.request({ ':method': 'POST', ':path': '/' }, { endStream: false })
    stream.on('error', () => {})
    stream.write('half')
    const [incoming] = (await asked) as [IncomingMessage]
    const closed = new Promise(resolve => incoming.socket.once('close', resolve))
    // Not `close`: it ends the request before.
    if (what === 'stream') stream.destroy()
    else session.destroy()
    await closed
    assert.equal(whole, 0, what)
    session.destroy()
  }
})

test('createServer gives a request up with the connection of HTTP/2 that it came on', { timeout: 60_000 }, async () => {
  const given = await startGateway([routeTo('web')], { '': await certificateFor('localhost') })
  ends.push(() => given.close())
  // Its answer has begun: it has all the time that it wants.
  const backend = createServer((_, response) => response.write('half'))
  await new Promise<void>(resolve => backend.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    backend.close()
    backend.closeAllConnections()
  })
  given.services.set('web', [{ host: '127.0.0.1', port: (backend.address() as AddressInfo).port }])
  const asked = once(backend, 'request')
  const session = connectHttp2(`https://127.0.0.1:${given.securePort}`, { rejectUnauthorized: false })
  const stream = session.request({ ':path': '/' })
  stream.on('error', () => {})
  const [incoming] = (await asked) as [IncomingMessage]
  await once(stream, 'response')
  const closed = once(incoming.socket, 'close')
  session.destroy()
  await closed
})

test('createServer refuses doubtful paths over HTTP/2, too', async () => {
  const ask = openHttp2()
  assert.equal((await ask({ ':path': '/a/..%2fb' })).answer[':status'], 400)
  // Not even a request: nghttp2 ends the stream.
  await assert.rejects(ask({ ':path': '/a\u007f b' }), { code: 'ERR_HTTP2_STREAM_ERROR' })
  assert.equal((await ask({ ':path': '/fine' })).answer[':status'], 200)
})
