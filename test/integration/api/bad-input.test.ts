/** Input that is wrong, hostile or never comes, at the level of connections and bodies. Each test ends with a server that answers. */
import assert from 'node:assert/strict'
import { type ClientHttp2Session, connect, constants } from 'node:http2'
import { type Socket, connect as tcp } from 'node:net'
import { after, before, test } from 'node:test'
import { connect as tls } from 'node:tls'
import { sealEnvelope } from '../../../src/api/machinery/protobuf/envelope.ts'
import type { Listening } from '../../../src/apiserver/server.ts'
import { realClock } from '../../../src/lib/clock.ts'
import { sendBeyondAnswer } from '../../../src/lib/linger.fixture.ts'
import { makeTrust } from '../../../src/lib/pki/trust.fixture.ts'
import { virtualClock } from '../../../src/lib/virtual-clock.ts'
import { configMap, type Loose, startApi, type TestApi } from './start.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const JSON_TYPE = 'application/json'
const YAML_TYPE = 'application/yaml'
const PROTOBUF = 'application/vnd.kubernetes.protobuf'

let api: TestApi
let listening: Listening
let ca: string
let session: ClientHttp2Session

before(async () => {
  const { authority, server } = await makeTrust()
  ca = authority.certificate
  api = await startApi({}, realClock)
  listening = await api.server.listen({
    hosts: ['127.0.0.1'],
    port: 0,
    tls: { key: server.key, cert: server.certificate },
  })
  session = open()
})
after(async () => {
  session.destroy()
  await api.server.close()
})

function open(): ClientHttp2Session {
  const made = connect(`https://127.0.0.1:${listening.port}`, { ca })
  made.on('error', () => {})
  return made
}

function call(
  method: string,
  path: string,
  body?: string | Buffer,
  type = JSON_TYPE,
  over = session,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const stream = over.request({ ':method': method, ':path': path, 'content-type': type }, { endStream: false })
    const chunks: Buffer[] = []
    let status = 0
    stream.on('response', head => {
      status = Number(head[':status'])
    })
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => resolve({ status, text: Buffer.concat(chunks).toString() }))
    stream.on('error', reject)
    stream.end(body)
  })
}

/** A new client is answered at once. */
async function serves() {
  const fresh = open()
  try {
    assert.equal((await call('GET', '/readyz', undefined, JSON_TYPE, fresh)).text, 'ok')
  } finally {
    fresh.destroy()
  }
}

/** A ConfigMap's message within itself, `depth` times: no such field may be nested, but bytes can say so. */
function nested(depth: number): Buffer {
  let bytes = Buffer.alloc(0)
  for (let at = 0; at < depth; at++) {
    const length: number[] = []
    let rest = bytes.length
    for (; rest > 0x7f; rest >>>= 7) length.push((rest & 0x7f) | 0x80)
    bytes = Buffer.concat([Buffer.from([10, ...length, rest]), bytes])
  }
  return bytes
}
const envelope = sealEnvelope('io.k8s.api.core.v1.ConfigMap', configMap('x', { a: 'b' }))
const lying = Buffer.concat([envelope.subarray(0, -3), Buffer.from([0xff, 0xff, 0x7f])])

const bodies: [string, string | Buffer, string, RegExp][] = [
  ['JSON that ends early', '{"kind":"ConfigMap","metadata":{"name":"a', JSON_TYPE, /unexpected end of JSON input/],
  ['JSON nested 10,000 deep', `{"data":${'['.repeat(10_000)}`, JSON_TYPE, /exceeded max depth/],
  [
    'JSON objects nested 10,000 deep',
    `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
    JSON_TYPE,
    /exceeded max depth/,
  ],
  ['YAML nested 10,000 deep', '['.repeat(10_000), YAML_TYPE, /error converting YAML to JSON/],
  [
    'YAML of aliases of aliases',
    `a: &a [x,x,x,x,x,x,x,x]\n${'bcdefghij'
      .split('')
      .map((key, at) => `${key}: &${key} [${Array(8).fill(`*${'abcdefghij'[at]}`).join(',')}]`)
      .join('\n')}`,
    YAML_TYPE,
    /alias/,
  ],
  ['YAML of 100,000 opening brackets', '['.repeat(100_000), YAML_TYPE, /error converting YAML to JSON/],
  ['protobuf cut off', envelope.subarray(0, envelope.length - 2), PROTOBUF, /reaches beyond its end/],
  ['protobuf with a length that lies', lying, PROTOBUF, /./],
  ['protobuf nested 10,000 deep', Buffer.concat([Buffer.from('k8s\0'), nested(10_000)]), PROTOBUF, /./],
  ['protobuf without its beginning', 'abc', PROTOBUF, /does not appear to be a protobuf message/],
  ['protobuf of nothing', 'k8s\0', PROTOBUF, /empty body/],
]
for (const [what, body, type, message] of bodies) {
  test(`a body of ${what} is 400, quickly`, async () => {
    const reply = await call('POST', MAPS, body, type)
    assert.equal(reply.status, 400, reply.text.slice(0, 300))
    assert.match(JSON.parse(reply.text).message, message)
    await serves()
  })
}

test('a field that a body repeats counts once, the last time', async () => {
  const reply = await call('POST', MAPS, '{"metadata":{"name":"one","name":"two"}}')
  assert.equal(JSON.parse(reply.text).metadata.name, 'two')
})

test('large YAML does not keep others waiting', async () => {
  const text = Array.from({ length: 20_000 }, (_, at) => `  key${at}: value of ${at}`).join('\n')
  const large = call('POST', `${MAPS}?dryRun=All`, `metadata: {name: large}\ndata:\n${text}`, YAML_TYPE)
  let answered = 0
  const until = large.then(() => true)
  while (!(await Promise.race([until, call('GET', '/readyz').then(() => false)]))) answered++
  const reply = await large
  assert.equal(reply.status, 201, reply.text.slice(0, 200))
  assert.ok(answered > 3, `${answered} others were answered meanwhile`)
})

const paths: [string, number][] = [
  ['/api/v1/namespaces/../../../etc/passwd', 404],
  ['/api/v1/namespaces/default/configmaps/..', 404],
  ['/api/v1/namespaces/default/configmaps/%2e%2e', 404],
  ['/api/v1/namespaces/default/configmaps/a%2fb', 404],
  ['/api/v1/namespaces/default/configmaps/a%00b', 404],
  ['/api/v1/namespaces/%2e%2e/configmaps/x', 404],
  ['/api/v1/namespaces/default/configmaps/%', 400],
  ['/api/v1/namespaces/default/configmaps/%ff', 400],
  ['//api//v1//configmaps', 404],
  [`/api/v1/namespaces/${'a/'.repeat(2000)}`, 404],
]
for (const [path, status] of paths) {
  test(`the path ${path.slice(0, 60)} is ${status}`, async () => {
    assert.equal((await call('GET', path)).status, status)
  })
}

test('names that are tricks are not stored', async () => {
  for (const name of ['..', 'a/b', 'a\0b', '../x', '%2f']) {
    const { status } = await call('POST', MAPS, JSON.stringify(configMap(name)))
    assert.equal(status, 422, name)
  }
})

test('1,000 connections that say nothing do not keep others from being served', async () => {
  const silent: Socket[] = []
  await Promise.all(
    Array.from(
      { length: 1000 },
      () =>
        new Promise<void>(resolve => {
          const socket = tcp(listening.port, '127.0.0.1', resolve)
          socket.on('error', () => resolve())
          silent.push(socket)
        }),
    ),
  )
  await serves()
  for (const socket of silent) socket.destroy()
})

test('a request that trickles in holds nobody up', async () => {
  const slow = Array.from({ length: 50 }, () => {
    const socket = tls({ port: listening.port, host: '127.0.0.1', ca, ALPNProtocols: ['http/1.1'] })
    socket.on('error', () => {})
    socket.write(`POST ${MAPS} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`)
    return socket
  })
  await serves()
  for (const socket of slow) socket.destroy()
})

test('who still sends a body that is too large reads its 413, over HTTP/1.1 too', async t => {
  const { authority, server } = await makeTrust()
  // So that the time for it is not that of a busy machine.
  const own = await startApi({}, virtualClock())
  t.after(() => own.server.close())
  const tls = { key: server.key, cert: server.certificate }
  const { port } = await own.server.listen({ hosts: ['127.0.0.1'], port: 0, tls })
  const to = { host: '127.0.0.1', port, ca: authority.certificate }
  const said = await sendBeyondAnswer(to, MAPS, 4)
  assert.match(said, /^HTTP\/1.1 413 [\s\S]*Request entity too large: limit is 3145728/)
})

/** What comes back over HTTP/1.1. */
function plain(request: string): Promise<string> {
  return new Promise(resolve => {
    const socket = tls({ port: listening.port, host: '127.0.0.1', ca, ALPNProtocols: ['http/1.1'] })
    let text = ''
    socket.on('data', chunk => {
      text += chunk
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
    socket.write(request)
  })
}

test('a flood of headers is refused over HTTP/1.1 and HTTP/2', async () => {
  const many = Array.from({ length: 5000 }, (_, at) => `x-${at}: y\r\n`).join('')
  assert.match(await plain(`GET /readyz HTTP/1.1\r\nHost: a\r\n${many}\r\n`), /^HTTP\/1.1 431 /)
  const flooding = open()
  const refused = await new Promise<string>(resolve => {
    const headers: Record<string, string> = { ':path': '/readyz' }
    for (let at = 0; at < 1000; at++) headers[`x-${at}`] = 'y'.repeat(50)
    const stream = flooding.request(headers)
    stream.on('error', (error: Loose) => resolve(error.code))
    stream.on('response', head => resolve(`answered ${head[':status']}`))
    stream.on('close', () => resolve('closed'))
  })
  assert.doesNotMatch(refused, /answered 200/)
  flooding.destroy()
  await serves()
})

test('bytes that are no HTTP end the connection', async () => {
  assert.match(await plain('\0\x01\x02garbage\r\n\r\n'), /^HTTP\/1.1 400 /)
  await serves()
})

test('streams that are opened and reset at once do not take the server down', async () => {
  const attacking = open()
  await new Promise<void>(resolve => attacking.once('connect', () => resolve()))
  for (let round = 0; round < 100 && !attacking.destroyed && !attacking.closed; round++) {
    for (let at = 0; at < 50 && !attacking.destroyed && !attacking.closed; at++) {
      const stream = attacking.request({ ':path': '/api/v1/configmaps' })
      stream.on('error', () => {})
      stream.close(constants.NGHTTP2_CANCEL)
    }
    await new Promise<void>(resolve => setImmediate(resolve))
  }
  await serves()
  attacking.destroy()
})
