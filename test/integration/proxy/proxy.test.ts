import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { after, before, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { ADMIN, pod } from '../../../src/apiserver/bootstrap/server.fixture.ts'
import type { NodeApi } from '../../../src/client/node-api.ts'
import { startWire, type WireServer } from './wire.ts'

const POD = '/api/v1/namespaces/default/pods/web/proxy'

let api: WireServer
let backend: Server
let port: number

/** What the server behind saw of a request. */
interface Seen {
  method: string
  url: string
  headers: Record<string, string>
  body: string
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}

const pages: Record<string, (accept: string) => { type?: string; encoding?: string; body: Buffer; location?: string }> =
  {
    '/page': () => ({ type: 'text/html; charset=utf-8', body: Buffer.from('<a href="/next">näxt</a>') }),
    '/zipped': () => ({ type: 'text/html', encoding: 'gzip', body: gzipSync('<a href="/next">next</a>') }),
    '/away': () => ({ body: Buffer.alloc(0), location: '/landing?x=1' }),
  }

before(async () => {
  backend = createServer(async (request, response) => {
    const page = pages[request.url ?? '']?.(String(request.headers['accept-encoding']))
    if (page) {
      response.writeHead(page.location ? 302 : 200, {
        ...(page.type && { 'content-type': page.type }),
        ...(page.encoding && { 'content-encoding': page.encoding }),
        ...(page.location && { location: page.location }),
        'content-length': page.body.length,
      })
      return response.end(page.body)
    }
    if (request.url === '/broken') {
      response.writeHead(200, { 'content-length': 100 })
      response.write('half')
      return setImmediate(() => response.destroy())
    }
    const seen = { method: request.method, url: request.url, headers: request.headers, body: await bodyOf(request) }
    response.writeHead(200, {
      'content-type': 'application/json',
      'set-cookie': ['a=1', 'b=2'],
      'access-control-allow-origin': '*',
    })
    response.end(JSON.stringify(seen))
  })
  backend.on('upgrade', (request: IncomingMessage, socket) => {
    if (request.url === '/refuse') return socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno')
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nhello ')
    socket.pipe(socket)
  })
  await new Promise<void>(resolve => backend.listen(0, '127.0.0.1', resolve))
  port = (backend.address() as AddressInfo).port

  api = await startWire()
  const node: Partial<NodeApi> = {
    connect: (_pod, to) =>
      new Promise((resolve, reject) => {
        const socket = connect(to, '127.0.0.1', () => resolve(socket))
        socket.on('error', reject)
      }),
    serve: async ({ path, query }) => ({
      status: 200,
      contentType: 'text/plain',
      body: (async function* () {
        yield Buffer.from(`${path} ${query}`)
      })(),
    }),
  }
  api.nodes.set('n1', node as NodeApi)
  const spec = {
    nodeName: 'n1',
    containers: [{ name: 'main', image: 'host', ports: [{ containerPort: port }] }],
  }
  await api.send(ADMIN, 'POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } })
  const made = await api.send(ADMIN, 'POST', '/api/v1/namespaces/default/pods', pod('web', spec))
  const status = { phase: 'Running', podIP: '10.1.2.3', podIPs: [{ ip: '10.1.2.3' }] }
  await api.send(ADMIN, 'PUT', '/api/v1/namespaces/default/pods/web/status', { ...made.object, status })
  const ports = [{ name: 'http', port: 80, targetPort: port }]
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { ports } }
  await api.send(ADMIN, 'POST', '/api/v1/namespaces/default/services', service)
  await api.send(ADMIN, 'POST', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port }],
    endpoints: [{ addresses: ['10.1.2.3'], targetRef: { kind: 'Pod', namespace: 'default', name: 'web' } }],
  })
})

after(async () => {
  await api.close()
  backend.closeAllConnections()
  backend.close()
})

const seenBy = (text: string) => JSON.parse(text) as Seen

for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
  test(`pods/proxy hands on ${method} with path, query and body`, async () => {
    const body = method === 'GET' || method === 'OPTIONS' ? undefined : 'some text'
    const reply = await api.fetch(method, `${POD}/a%20b/c?x=1&y=a%2Fb`, body, { 'x-own': 'yes' })
    assert.equal(reply.status, 200)
    const seen = seenBy(reply.text)
    assert.equal(seen.method, method)
    assert.equal(seen.url, '/a%20b/c?x=1&y=a%2Fb')
    assert.equal(seen.body, body ?? '')
    assert.equal(seen.headers['x-own'], 'yes')
    assert.equal(seen.headers['x-forwarded-for'], '127.0.0.1')
    assert.equal(seen.headers['x-forwarded-uri'], `${POD}/a%20b/c`)
  })
}

test('pods/proxy keeps credentials to itself, and who may read the API from who answers', async () => {
  const identity = { authorization: 'Basic abc', 'x-remote-user': 'root', 'x-remote-group': 'system:masters' }
  const { authorization: _, ...rest } = identity
  const reply = await api.fetch('GET', `${POD}/x`, undefined, rest)
  const { headers } = seenBy(reply.text)
  assert.deepEqual(
    Object.keys(headers).filter(name => name in identity),
    [],
  )
  assert.deepEqual(reply.headers['set-cookie'], ['a=1', 'b=2'])
  assert.equal(reply.headers['access-control-allow-origin'], undefined)
})

test('pods/proxy answers HEAD without a body and sends who leaves out the slash to it', async () => {
  const head = await api.fetch('HEAD', `${POD}/x`)
  assert.deepEqual([head.status, head.text], [200, ''])
  const moved = await api.fetch('GET', `${POD}?x=1`)
  assert.deepEqual([moved.status, moved.headers.location], [301, `${POD}/?x=1`])
  const posted = await api.fetch('POST', POD, 'x')
  assert.equal(seenBy(posted.text).url, '/')
})

test('pods/proxy leads links and redirects back through itself', async () => {
  const page = await api.fetch('GET', `${POD}/page`)
  assert.equal(page.text, `<a href="${POD}/next">näxt</a>`)
  const away = await api.fetch('GET', `${POD}/away`)
  assert.deepEqual([away.status, away.headers.location], [302, `${POD}/landing?x=1`])
  const zipped = await api.fetch('GET', `${POD}/zipped`, undefined, { 'accept-encoding': 'gzip' })
  assert.equal(zipped.headers['content-encoding'], 'gzip')
  assert.equal(gunzipSync(zipped.bytes).toString(), `<a href="${POD}/next">next</a>`)
})

test('pods/proxy breaks off where the server behind breaks off', async () => {
  await assert.rejects(api.fetch('GET', `${POD}/broken`), { code: 'ECONNRESET' })
})

test('pods/proxy takes a port and a scheme, and refuses names that are none', async () => {
  const at = (name: string) => api.fetch('GET', `/api/v1/namespaces/default/pods/${name}/proxy/x`)
  assert.equal((await at(`web:${port}`)).status, 200)
  assert.equal((await at(`http:web:${port}`)).status, 200)
  const cases: [string, number, RegExp][] = [
    ['ftp:web:80', 400, /invalid pod request "ftp:web:80"/],
    ['a:b:c:d', 400, /invalid pod request "a:b:c:d"/],
    ['none', 404, /pods "none" not found/],
    ['web:1', 503, /error trying to reach service: .*connection refused/],
    [`https:web:${port}`, 503, /error trying to reach service: /],
  ]
  for (const [name, status, message] of cases) {
    const reply = await at(name)
    assert.equal(reply.status, status, name)
    assert.match(JSON.parse(reply.text).message, message)
  }
})

test('services/proxy goes to a ready pod by the name or the number of a port', async () => {
  const at = (name: string) => api.fetch('GET', `/api/v1/namespaces/default/services/${name}/proxy/x`)
  for (const name of ['web:http', 'web:80', 'http:web:http']) assert.equal((await at(name)).status, 200, name)
  const cases: [string, number, RegExp][] = [
    ['web:81', 503, /^no service port 81 found for service "web"$/],
    ['web:other', 503, /^no endpoints available for service "web:other"$/],
    ['none:80', 404, /services "none" not found/],
    ['x:web:http', 400, /invalid service request/],
  ]
  for (const [name, status, message] of cases) {
    const reply = await at(name)
    assert.equal(reply.status, status, name)
    assert.match(JSON.parse(reply.text).message, message)
  }
})

test('nodes/proxy asks the node itself, and refuses to lead back to this machine', async () => {
  const reply = await api.fetch('GET', '/api/v1/nodes/n1/proxy/stats/summary?only=cpu')
  assert.deepEqual([reply.status, reply.text], [200, '/stats/summary only=cpu'])
  assert.equal((await api.fetch('GET', '/api/v1/nodes/n1:9100/proxy/')).status, 400)
  assert.equal((await api.fetch('GET', '/api/v1/nodes/none/proxy/')).status, 404)
})

const UPGRADE = { connection: 'Upgrade', upgrade: 'echo' }

test('pods/proxy joins the sockets of an upgrade', async () => {
  const opened = await api.upgrade(`${POD}/socket`, UPGRADE)
  assert.ok('socket' in opened)
  const { socket, head } = opened
  socket.write('world')
  let text = head.toString()
  for await (const chunk of socket) {
    text += chunk
    if (text.length >= 'hello world'.length) break
  }
  assert.equal(text, 'hello world')
})

test('pods/proxy hands on the refusal of an upgrade', async () => {
  const refused = await api.upgrade(`${POD}/refuse`, UPGRADE)
  assert.ok('text' in refused)
  assert.deepEqual([refused.status, refused.text], [403, 'no'])
})
