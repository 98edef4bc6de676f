import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, createServer, type IncomingHttpHeaders, type RequestListener, request, type Server } from 'node:http'
import { type AddressInfo, connect, createServer as createListener } from 'node:net'
import { networkInterfaces } from 'node:os'
import { after, test } from 'node:test'
import { routeTo, startGateway, type TestGateway } from './gateway.fixture.ts'

const ends: (() => unknown)[] = []
after(async () => {
  for (const end of ends.reverse()) await end()
})

const agent = new Agent({ keepAlive: true })
ends.push(() => agent.destroy())

async function backend(listener: RequestListener): Promise<{ host: string; port: number; server: Server }> {
  const server = createServer(listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, server }
}

async function gateway(...routes: Parameters<typeof startGateway>): Promise<TestGateway> {
  const started = await startGateway(...routes)
  ends.push(() => started.close())
  return started
}

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const { server, port } = await backend(() => {})
  await new Promise(resolve => server.close(resolve))
  return port
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly trailers: NodeJS.Dict<string>
  readonly body: string
}

interface Ask {
  readonly path?: string
  readonly method?: string
  readonly headers?: Record<string, string | string[]>
  readonly body?: string
}

function ask(port: number, { path = '/', method = 'GET', headers = {}, body }: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent }, response => {
      let body = ''
      response.setEncoding('utf8').on('data', chunk => (body += chunk))
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode: status = 0, headers, trailers } = response
        resolve({ status, headers, trailers, body })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Sends bytes as they are; resolves with all that comes until the other side ends, or `until` has come. */
function raw(port: number, bytes: string, until = /\r\n\r\n/): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port })
    let text = ''
    socket.setEncoding('latin1').on('data', chunk => {
      text += chunk
      if (until.test(text)) socket.destroy()
    })
    socket.on('close', () => resolve(text))
    socket.on('error', reject)
    socket.write(bytes, 'latin1')
  })
}

/** Answers with what it got. */
const echo: RequestListener = async (incoming, response) => {
  let body = ''
  for await (const chunk of incoming.setEncoding('utf8')) body += chunk
  const { method, url, headers, rawHeaders } = incoming
  response.setHeader('Set-Cookie', ['a=1', 'b=2'])
  response.setHeader('X-Own', 'yes')
  response.end(JSON.stringify({ method, url, headers, rawHeaders, body }))
}

async function echoGateway() {
  const [own, target] = await Promise.all([gateway([routeTo('web')]), backend(echo)])
  own.services.set('web', [target])
  return own
}

test('createRouter hands a request on as it came, and tells where it came from', async () => {
  const { port } = await echoGateway()
  const headers = {
    Host: 'shop.example:8080',
    'X-Forwarded-For': '1.2.3.4',
    X_Real_Ip: '5',
    Forwarded: 'for=x',
    Cookie: 'c=d',
  }
  const answer = await ask(port, { path: '/a%20b?q=%2F', method: 'PUT', headers, body: 'hello' })
  assert.equal(answer.status, 200)
  assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2'])
  assert.equal(answer.headers['x-own'], 'yes')
  const got = JSON.parse(answer.body)
  assert.deepEqual([got.method, got.url, got.body], ['PUT', '/a%20b?q=%2F', 'hello'])
  assert.deepEqual(
    { ...got.headers, connection: undefined },
    {
      host: 'shop.example:8080',
      cookie: 'c=d',
      'content-length': '5',
      'x-forwarded-for': '127.0.0.1',
      'x-real-ip': '127.0.0.1',
      'x-forwarded-host': 'shop.example:8080',
      'x-forwarded-port': '8080',
      'x-forwarded-proto': 'http',
      connection: undefined,
    },
  )
})

test('createRouter keeps what is about one connection to itself', async () => {
  const { port } = await echoGateway()
  const headers = { Connection: 'keep-alive, X-Hop', 'X-Hop': '1', 'Keep-Alive': 'x', TE: 'gzip', 'X-Stays': '2' }
  const got = JSON.parse((await ask(port, { headers })).body).headers
  for (const name of ['x-hop', 'keep-alive', 'te']) assert.equal(got[name], undefined, name)
  assert.equal(got['x-stays'], '2')
})

test('createRouter passes bodies of unknown length and trailers', async () => {
  const own = await gateway([routeTo('web')])
  const target = await backend((incoming, response) => {
    response.writeHead(200, { Trailer: 'X-Sum' })
    incoming.pipe(response, { end: false })
    incoming.on('end', () => {
      response.addTrailers({ 'X-Sum': '42' })
      response.end()
    })
  })
  own.services.set('web', [target])
  const answer = await ask(own.port, { method: 'POST', headers: { 'Transfer-Encoding': 'chunked' }, body: 'abc' })
  assert.deepEqual([answer.body, answer.trailers['x-sum']], ['abc', '42'])
})

test('createRouter passes an answer while it is being made, its head before its body', async () => {
  const own = await gateway([routeTo('web')])
  let write: ((text: string) => void) | undefined
  const target = await backend((_, response) => {
    response.flushHeaders()
    write = text => (text ? response.write(text) : response.end())
  })
  own.services.set('web', [target])
  const sent = request({ host: '127.0.0.1', port: own.port, agent }).end()
  const [response] = await once(sent, 'response')
  for (const text of ['one', 'two']) {
    write!(text)
    assert.equal(String((await once(response, 'data'))[0]), text)
  }
  write!('')
  await once(response, 'end')
})

test('createRouter makes a backend wait for a client that does not read', async () => {
  const own = await gateway([routeTo('web')])
  const size = 64 * 1024 * 1024
  let written = 0
  const target = await backend((_, response) => {
    const chunk = Buffer.alloc(64 * 1024)
    const more = () => {
      while (written < size) {
        written += chunk.length
        if (!response.write(chunk)) return response.once('drain', more)
      }
      return response.end()
    }
    more()
  })
  own.services.set('web', [target])
  const sent = request({ host: '127.0.0.1', port: own.port, agent: false }).end()
  const [response] = await once(sent, 'response')
  response.pause()
  // It stands when nothing more is written for many turns of the loop.
  for (let before = -1; before !== written; ) {
    before = written
    for (let turn = 0; turn < 200; turn++) await new Promise(resolve => setImmediate(resolve))
  }
  assert.ok(written < size / 2, `${written} of ${size} bytes were written to a client that read none`)
  let read = 0
  for await (const chunk of response) read += chunk.length
  assert.equal(read, size)
})

test('createRouter tells the backend of a client that breaks off', async () => {
  const own = await gateway([routeTo('web')])
  const target = await backend(() => {})
  own.services.set('web', [target])
  const sent = request({ host: '127.0.0.1', port: own.port, agent: false }).end()
  sent.on('error', () => {})
  const [incoming] = await once(target.server, 'request')
  const closed = once(incoming.socket, 'close')
  sent.destroy()
  await closed
})

test('createRouter cuts an answer that its backend cut', async () => {
  const own = await gateway([routeTo('web')])
  const target = await backend((_, response) => {
    response.writeHead(200, { 'Content-Length': 10 })
    response.write('half')
    setImmediate(() => response.destroy())
  })
  own.services.set('web', [target])
  await assert.rejects(ask(own.port), { code: 'ECONNRESET' })
})

test('createRouter answers itself where no backend does', async () => {
  const own = await gateway([
    routeTo('web', { host: 'web.example' }),
    routeTo('gone', { host: 'gone.example' }),
    routeTo('bad', { host: 'bad.example' }),
    {
      host: 'none.example',
      match: 'Prefix',
      path: '/',
      redirect: false,
      owner: { namespace: 'default', name: 'none' },
    },
    routeTo('tls', { host: 'tls.example', redirect: true }),
  ])
  own.services.set('web', [])
  const listener = createListener(socket => {
    socket.on('error', () => {})
    socket.end('no HTTP\r\n\r\n')
  })
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  ends.push(() => listener.close())
  own.services.set('bad', [{ host: '127.0.0.1', port: (listener.address() as AddressInfo).port }])
  const statusOf = async (host: string) => (await ask(own.port, { headers: { Host: host } })).status
  assert.equal(await statusOf('other.example'), 404)
  assert.equal(await statusOf('web.example'), 503)
  assert.equal(await statusOf('gone.example'), 503)
  assert.equal(await statusOf('none.example'), 503)
  assert.equal(await statusOf('bad.example'), 502)
  const moved = await ask(own.port, { path: '/x?y', headers: { Host: 'tls.example:80' } })
  assert.deepEqual([moved.status, moved.headers.location], [308, `https://tls.example:${own.securePort}/x?y`])
  const counted = [...own.metrics.families[0]!.samples()].map(({ labels, value }) => [
    labels.ingress,
    labels.code,
    value,
  ])
  assert.deepEqual(counted, [
    ['', '404', 1],
    ['web', '503', 1],
    ['gone', '503', 1],
    ['none', '503', 1],
    ['bad', '502', 1],
    ['tls', '308', 1],
  ])
})

test('createRouter believes a proxy that is trusted: what came to it with TLS is not sent there again', async () => {
  const own = await gateway([routeTo('web', { redirect: true })], {}, ['127.0.0.0/8'])
  own.services.set('web', [await backend(echo)])
  const headers = {
    Host: 'shop.example',
    'X-Forwarded-For': '192.0.2.7',
    'X-Forwarded-Proto': 'https',
    Forwarded: 'for=x',
  }
  const { status, body } = await ask(own.port, { headers })
  assert.equal(status, 200)
  const got = JSON.parse(body).headers
  assert.deepEqual(
    ['x-forwarded-for', 'x-real-ip', 'x-forwarded-proto', 'x-forwarded-port', 'forwarded'].map(name => got[name]),
    ['192.0.2.7, 127.0.0.1', '192.0.2.7', 'https', '443', undefined],
  )
  assert.equal((await ask(own.port, { headers: { 'X-Forwarded-Proto': 'http' } })).status, 308)
})

test('createRouter leaves out of the way to TLS what certificates are got by', async () => {
  const own = await gateway([routeTo('web', { redirect: true })])
  own.services.set('web', [await backend(echo)])
  assert.equal((await ask(own.port, { path: '/.well-known/acme-challenge/token' })).status, 200)
  assert.equal((await ask(own.port, { path: '/.well-known/other' })).status, 308)
})

test('createRouter answers 413 to a body larger than may be, of whichever length it says', async () => {
  const own = await gateway([routeTo('web', { bodyBytes: 4 })])
  let broken = 0
  const target = await backend((incoming, response) => {
    incoming.on('error', () => broken++)
    incoming.resume().on('end', () => response.end('ok'))
  })
  own.services.set('web', [target])
  const statusOf = async (body: string, headers = {}) => (await ask(own.port, { method: 'POST', body, headers })).status
  assert.equal(await statusOf('1234'), 200)
  assert.equal(await statusOf('12345'), 413)
  assert.equal(broken, 0)
  const chunked = { 'Transfer-Encoding': 'chunked' }
  assert.equal(await statusOf('1234', chunked), 200)
  assert.equal(await statusOf('12345', chunked), 413)
})

test('createRouter sends a request to another endpoint where one takes no connection, body and all', async () => {
  const own = await gateway([routeTo('web')])
  const target = await backend(echo)
  own.services.set('web', [{ host: '127.0.0.1', port: await closedPort() }, target])
  for (let at = 0; at < 4; at++) {
    const answer = await ask(own.port, { method: 'POST', body: 'once' })
    assert.deepEqual([answer.status, JSON.parse(answer.body).body], [200, 'once'])
  }
  own.services.set('web', [{ host: '127.0.0.1', port: await closedPort() }])
  assert.equal((await ask(own.port)).status, 502)
})

test('createRouter repeats a GET whose kept connection the backend closed under it, and no POST', async () => {
  const own = await gateway([routeTo('web')])
  const seen: string[] = []
  const closing = await backend((incoming, response) => {
    seen.push(incoming.method!)
    // The second request on a connection is met by its end.
    const socket = incoming.socket as typeof incoming.socket & { used?: boolean }
    if (socket.used) socket.destroy()
    else response.end('ok')
    socket.used = true
  })
  own.services.set('web', [closing])
  assert.equal((await ask(own.port)).status, 200)
  assert.equal((await ask(own.port)).status, 200)
  assert.equal((await ask(own.port, { method: 'POST', body: 'x' })).status, 502)
  assert.deepEqual(seen, ['GET', 'GET', 'GET', 'POST'])
})

test('createRouter sends no POST over a connection that the backend has closed', async () => {
  const own = await gateway([routeTo('web')])
  let connections = 0
  // It does not say that it closes, and the end is on its way together with the answer.
  const closing = await backend((_, response) => {
    const { socket } = response
    response.once('finish', () => socket!.destroySoon())
    response.end('ok')
  })
  closing.server.on('connection', () => connections++)
  own.services.set('web', [closing])
  for (let at = 0; at < 50; at++) assert.equal((await ask(own.port, { method: 'POST', body: 'x' })).status, 200)
  assert.equal(connections, 50)
})

test('createRouter keeps connections for requests of all methods', async () => {
  const own = await gateway([routeTo('web')])
  let connections = 0
  const target = await backend((_, response) => response.end('ok'))
  target.server.on('connection', () => connections++)
  own.services.set('web', [target])
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'POST'])
    assert.equal((await ask(own.port, { method, ...(method !== 'GET' && { body: 'x' }) })).status, 200)
  assert.equal(connections, 1)
})

test('createRouter repeats a PUT with a small body, as its method allows', async () => {
  const own = await gateway([routeTo('web')])
  const seen: string[] = []
  const closing = await backend(async (incoming, response) => {
    let body = ''
    for await (const chunk of incoming) body += chunk
    seen.push(body.length > 10 ? `${body.length}` : body)
    const socket = incoming.socket as typeof incoming.socket & { used?: boolean }
    if (socket.used) socket.destroy()
    else response.end('ok')
    socket.used = true
  })
  own.services.set('web', [closing])
  const put = async (body: string) => (await ask(own.port, { method: 'PUT', body })).status
  assert.deepEqual([await put('one'), await put('two')], [200, 200])
  assert.deepEqual(seen, ['one', 'two', 'two'])
  assert.deepEqual([await put('x'.repeat(100_000)), seen.at(-1)], [502, '100000'])
})

/** A program that does not come to accept, and ends: its system resets what it has got. */
async function unreading() {
  const listener = createListener({ pauseOnConnect: true }, async socket => {
    for (let turn = 0; turn < 50; turn++) await new Promise(resolve => setImmediate(resolve))
    socket.destroy()
  })
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  ends.push(() => listener.close())
  return { host: '127.0.0.1', port: (listener.address() as AddressInfo).port }
}

test('createRouter sends a POST again that was thrown away unread, but not one of which a part may have been read', async () => {
  const own = await gateway([routeTo('web')])
  const seen: string[] = []
  const target = await backend(async (incoming, response) => {
    let body = ''
    for await (const chunk of incoming) body += chunk
    seen.push(body)
    response.end('ok')
  })
  own.services.set('web', [await unreading(), target])
  const post = async (body: string) => (await ask(own.port, { method: 'POST', body })).status
  for (const body of ['one', 'two', 'three']) assert.equal(await post(body), 200)
  assert.deepEqual(seen, ['one', 'two', 'three'])
  own.services.set('web', [await unreading()])
  assert.equal(await post('x'.repeat(2000)), 502)
})

test('createRouter sends no POST twice', async () => {
  const own = await gateway([routeTo('web')])
  const seen: string[] = []
  const closing = await backend(incoming => {
    seen.push(incoming.method!)
    incoming.socket.destroy()
  })
  own.services.set('web', [closing])
  assert.equal((await ask(own.port, { method: 'POST', body: 'x' })).status, 502)
  assert.deepEqual(seen, ['POST'])
  assert.equal((await ask(own.port)).status, 502)
  assert.deepEqual(seen, ['POST', 'GET', 'GET', 'GET'])
})

test('createRouter closes what it keeps to an endpoint that is gone', async () => {
  const own = await gateway([routeTo('web')])
  const target = await backend((_, response) => response.end('ok'))
  own.services.set('web', [target])
  const connection = once(target.server, 'connection')
  await ask(own.port)
  const [socket] = await connection
  const closed = once(socket, 'close')
  own.services.set('web', [])
  await closed
})

/** A server that answers on all addresses of this machine, behind a service that only names it. */
async function externalGateway() {
  const server = createServer(echo)
  await new Promise<void>(resolve => server.listen(0, resolve))
  ends.push(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  const own = await gateway([routeTo('out', { target: { namespace: 'default', service: 'out', port } })])
  return async (externalName: string) => {
    own.services.set('out', [], { type: 'ExternalName', externalName, ports: [] })
    return (await ask(own.port)).status
  }
}

test('createRouter reaches no ExternalName that is this machine', async () => {
  const statusOf = await externalGateway()
  for (const name of ['127.0.0.1', '127.1', 'localhost', '0.0.0.0', '169.254.169.254', '::1', '::ffff:127.0.0.1'])
    assert.equal(await statusOf(name), 502, name)
})

const outside = Object.values(networkInterfaces())
  .flatMap(addresses => addresses ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address

test('createRouter reaches an ExternalName', { skip: !outside && 'no address but of loopback' }, async () => {
  const statusOf = await externalGateway()
  assert.equal(await statusOf(outside!), 200)
})

const malformed: readonly [title: string, bytes: string, status: number][] = [
  ['no host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['two hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400],
  ['a host that is none', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
  ['a path with ..', 'GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a path with an escaped ..', 'GET /a/%2e%2e%2fb HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a star', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx', 400],
  [
    'a length and chunks',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
  ['an unknown coding', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, x\r\n\r\n0\r\n\r\n', 501],
  ['a length that is none', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx', 400],
  ['a header with a space before its colon', 'GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n', 400],
  ['a folded header', 'GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n y\r\n\r\n', 400],
  ['a bare line feed', 'GET / HTTP/1.1\nHost: a\n\n', 400],
  [
    'a chunk with a size that is none',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n\r\n',
    400,
  ],
  ['a head of 20 kB', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ['a host in the target, another in the header', 'GET http://b.example/x HTTP/1.1\r\nHost: a\r\n\r\n', 404],
]
for (const [title, bytes, status] of malformed) {
  test(`createServer answers ${status} to a request with ${title}`, async () => {
    const own = await gateway([routeTo('web', { host: 'a' })])
    const target = await backend((incoming, response) => {
      incoming.resume()
      incoming.on('end', () => response.end('ok'))
    })
    own.services.set('web', [target])
    const first = await raw(own.port, bytes, /HTTP\/1\.1 (?!100)\d+/)
    assert.match(first, new RegExp(`^HTTP/1\\.1 ${status} `))
  })
}

test('createRouter has no client take the length of a body away from the backend', async () => {
  const { port } = await echoGateway()
  const hidden = 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n'
  const head = `GET /seen HTTP/1.1\r\nHost: a\r\nConnection: content-length, host\r\nContent-Length: ${hidden.length}\r\n\r\n`
  const text = await raw(port, head + hidden, /"body"/)
  const got = JSON.parse(text.slice(text.indexOf('{')))
  assert.deepEqual([got.url, got.body, got.headers.host], ['/seen', hidden, 'a'])
})

test('createServer takes requests one after the other on one connection', async () => {
  const { port } = await echoGateway()
  const one = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
  const text = await raw(port, one('/1') + one('/2'), /\/2/)
  assert.match(text, /"url":"\/1"[\s\S]*"url":"\/2"/)
})

test('createServer lets what is under way end before it closes, and takes nothing new', async () => {
  const own = await gateway([routeTo('web')])
  let finish: (() => void) | undefined
  const target = await backend((_, response) => {
    response.flushHeaders()
    finish = () => response.end('done')
  })
  own.services.set('web', [target])
  const sent = request({ host: '127.0.0.1', port: own.port, agent: new Agent({ keepAlive: true }) }).end()
  const [response] = await once(sent, 'response')
  const closed = own.close(60_000)
  await assert.rejects(ask(own.port), /ECONNREFUSED|ECONNRESET/)
  finish!()
  let text = ''
  for await (const chunk of response) text += chunk
  assert.equal(text, 'done')
  await closed
})
