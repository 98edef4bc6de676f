import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ClientHttp2Session, connect } from 'node:http2'
import { request as httpsRequest } from 'node:https'
import { after, before, test } from 'node:test'
import { bearerTokens } from '../../../src/apiserver/authentication/bearer.ts'
import type { Listening } from '../../../src/apiserver/server.ts'
import { realClock } from '../../../src/lib/clock.ts'
import type { KeyPair } from '../../../src/lib/pki/certificate.ts'
import { certificateSubject } from '../../../src/lib/pki/subject.ts'
import { makeTrust } from '../../../src/lib/pki/trust.fixture.ts'
import { configMap, type Loose, startApi, type TestApi } from './start.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const JSON_TYPE = { 'content-type': 'application/json' }

let api: TestApi
let listening: Listening
let authority: KeyPair
let server: KeyPair
let client: KeyPair
let session: ClientHttp2Session

before(async () => {
  const trust = await makeTrust()
  ;({ authority, server } = trust)
  client = await trust.client('ann', 'readers')
  api = await startApi(
    {
      authenticators: [
        ({ certificate }) => {
          if (!certificate) return undefined
          const { commonName, organizations } = certificateSubject(certificate.raw)
          return { name: commonName, groups: organizations }
        },
        bearerTokens(() => undefined, []),
      ],
      authorizer: ({ user, isResource }) => ({ allowed: !isResource || user.name !== 'system:anonymous' }),
    },
    realClock,
  )
  const tls = { key: server.key, cert: server.certificate, clientCa: authority.certificate }
  listening = await api.server.listen({ hosts: ['127.0.0.1'], port: 0, tls })
  session = connect(`https://127.0.0.1:${listening.port}`, {
    ca: authority.certificate,
    cert: client.certificate,
    key: client.key,
  })
})

after(async () => {
  session.destroy()
  await api.server.close()
})

interface Reply {
  status: number
  headers: Record<string, unknown>
  text: string
}

function http2(
  method: string,
  path: string,
  body?: string | Uint8Array,
  headers: Record<string, string> = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':method': method, ':path': path, ...headers })
    const chunks: Buffer[] = []
    let head: Record<string, unknown> = {}
    stream.on('response', got => {
      head = got
    })
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () =>
      resolve({ status: Number(head[':status']), headers: head, text: Buffer.concat(chunks).toString() }),
    )
    stream.on('error', reject)
    stream.end(body)
  })
}

function http1(method: string, path: string, headers: Record<string, string> = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: listening.port, method, path, headers, ca: authority.certificate }
    const request = httpsRequest({ ...options, agent: false }, response => {
      const chunks: Buffer[] = []
      response.on('data', chunk => chunks.push(chunk))
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      )
    })
    request.on('error', reject)
    request.end()
  })
}

const parse = (reply: Reply): Loose => JSON.parse(reply.text)

test('HTTP/2 with a client certificate creates, reads and lists', async () => {
  const created = await http2('POST', MAPS, JSON.stringify(configMap('a', { x: '1' })), JSON_TYPE)
  assert.equal(created.status, 201)
  assert.equal(created.headers['content-type'], 'application/json')
  const got = await http2('GET', `${MAPS}/a`)
  assert.deepEqual(parse(got), parse(created))
  const list = parse(await http2('GET', '/api/v1/configmaps'))
  assert.deepEqual(
    list.items.map((item: Loose) => item.metadata.name),
    ['a'],
  )
  const yaml = await http2('GET', `${MAPS}/a`, undefined, { accept: 'application/yaml' })
  assert.match(yaml.text, /^kind: ConfigMap\n/m)
})

test('the root lists the paths that are answered', async () => {
  for (const path of ['/', '/index.html']) {
    const { paths } = parse(await http2('GET', path)) as { paths: string[] }
    for (const each of ['/api/v1', '/apis/apps', '/apis/apps/v1', '/livez/ping', '/metrics', '/openapi/v3', '/version'])
      assert.ok(paths.includes(each), each)
    for (const each of paths) assert.equal((await http2('GET', each)).status, 200, each)
  }
})

test('HTTP/1.1 without credentials is anonymous', async () => {
  assert.equal((await http1('GET', '/readyz')).text, 'ok')
  for (const path of ['/version', '/version/']) assert.equal(parse(await http1('GET', path)).minor, '36')
  const refused = await http1('GET', MAPS)
  assert.equal(refused.status, 403)
  assert.equal(
    parse(refused).message,
    'configmaps is forbidden: User "system:anonymous" cannot list resource "configmaps" in API group "" in the namespace "default"',
  )
})

test('HTTP/1.1 tells at once that a watch stands, before there is an event', async t => {
  const since = parse(await http2('GET', MAPS)).metadata.resourceVersion
  const request = httpsRequest({
    host: '127.0.0.1',
    port: listening.port,
    path: `${MAPS}?watch=true&resourceVersion=${since}`,
    ca: authority.certificate,
    cert: client.certificate,
    key: client.key,
    agent: false,
  })
  t.after(() => request.destroy())
  request.on('error', () => {})
  const [response] = await once(request.end(), 'response')
  assert.equal(response.statusCode, 200)
  const line = once(response, 'data')
  await http2('POST', MAPS, JSON.stringify(configMap('watched', {})), JSON_TYPE)
  assert.equal(JSON.parse(String((await line)[0])).object.metadata.name, 'watched')
  await http2('DELETE', `${MAPS}/watched`)
})

test('a token that nobody knows is 401', async () => {
  assert.equal((await http1('GET', MAPS, { authorization: 'Bearer nope' })).status, 401)
})

const bad: [string, string | Buffer, Record<string, string>, number, RegExp][] = [
  [
    'JSON that breaks off',
    '{"kind": "ConfigMap"',
    JSON_TYPE,
    400,
    /couldn't get version\/kind; json parse error: unexpected end of JSON input \(/,
  ],
  [
    'JSON that is none',
    '{bad',
    JSON_TYPE,
    400,
    /json parse error: invalid character 'b' looking for beginning of object key string \(/,
  ],
  ['YAML that is none', 'a: [1', { 'content-type': 'application/yaml' }, 400, /^error converting YAML to JSON: yaml: /],
  [
    'an unknown media type',
    'x',
    { 'content-type': 'text/plain' },
    415,
    /accepted media types include: application\/json/,
  ],
  ['4 MB', Buffer.alloc(4 << 20, 0x20), JSON_TYPE, 413, /^Request entity too large: limit is 3145728$/],
  ['nothing', '', JSON_TYPE, 400, /unexpected end of JSON input \(<empty>\)$/],
  ['protobuf that is none', 'abc', { 'content-type': 'application/vnd.kubernetes.protobuf' }, 400, /./],
]
for (const [what, body, headers, status, message] of bad) {
  test(`a body of ${what} gets ${status} and takes nothing down`, async () => {
    const reply = await http2('POST', MAPS, body, headers)
    assert.equal(reply.status, status)
    assert.match(parse(reply).message, message)
    assert.equal((await http2('GET', '/readyz')).text, 'ok')
  })
}

test('fields that a body repeats are warned of, or refused', async () => {
  const text = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"twice"},"data":{"a":"1","a":"2"}}'
  const warned = await http2('POST', `${MAPS}?dryRun=All`, text, JSON_TYPE)
  assert.equal(warned.status, 201)
  assert.equal(warned.headers.warning, '299 - "duplicate field \\"data.a\\""')
  const refused = await http2('POST', `${MAPS}?dryRun=All&fieldValidation=Strict`, text, JSON_TYPE)
  assert.equal(refused.status, 400)
  assert.match(parse(refused).message, /strict decoding error: duplicate field "data.a"$/)
})

test('a large list arrives whole, also for many clients at once', async () => {
  const value = 'x'.repeat(20_000)
  await Promise.all(
    Array.from({ length: 150 }, (_, i) =>
      api.send('POST', '/api/v1/namespaces/big/configmaps', configMap(`m${i}`, { value })),
    ),
  )
  const replies = await Promise.all(Array.from({ length: 8 }, () => http2('GET', '/api/v1/namespaces/big/configmaps')))
  for (const reply of replies) assert.equal(parse(reply).items.length, 150)
})

test('a watch sends a line for each event, and ends when the client goes', async () => {
  const stream = session.request({ ':path': `${MAPS}?watch=1&resourceVersion=${api.store.revision()}` })
  const lines = new Promise<string[]>(resolve => {
    let text = ''
    stream.on('data', chunk => {
      text += chunk
      if (text.split('\n').length > 2) resolve(text.trim().split('\n'))
    })
  })
  await new Promise(resolve => stream.on('response', resolve))
  await api.send('POST', MAPS, configMap('w'))
  await api.send('DELETE', `${MAPS}/w`)
  const events = (await lines).map(line => JSON.parse(line))
  assert.deepEqual(
    events.map(event => `${event.type} ${event.object.metadata.name}`),
    ['ADDED w', 'DELETED w'],
  )
  stream.close()
})

test('discovery answers in the form that was asked for, and says when nothing changed', async () => {
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'
  const found = await http2('GET', '/apis', undefined, { accept })
  assert.equal(found.headers['content-type'], 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList')
  assert.equal(parse(found).items.length, 21)
  const again = await http2('GET', '/apis', undefined, { accept, 'if-none-match': String(found.headers.etag) })
  assert.equal(again.status, 304)
  assert.equal(parse(await http2('GET', '/apis')).kind, 'APIGroupList')
})

test('OpenAPI has the kinds, and the parameters that clients look for', async () => {
  const { paths } = parse(await http2('GET', '/openapi/v3'))
  const apps = parse(await http2('GET', paths['apis/apps/v1'].serverRelativeURL))
  const { patch } = apps.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']
  const names = patch.parameters.map((parameter: Loose) => parameter.name)
  assert.ok(names.includes('fieldValidation') && names.includes('dryRun'))
  assert.ok(apps.components.schemas['io.k8s.api.apps.v1.Deployment'])
  assert.equal((await http2('GET', '/openapi/v2')).status, 200)
  const protobuf = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'
  const binary = await http2('GET', '/openapi/v2', undefined, { accept: protobuf })
  assert.match(String(binary.headers['content-type']), /protobuf$/)
  assert.equal((await http2('GET', '/openapi/v2', undefined, { accept: 'text/html' })).status, 406)
})

test('listen names the address that is taken', async () => {
  const tls = { key: server.key, cert: server.certificate }
  await assert.rejects(
    api.server.listen({ hosts: ['127.0.0.1'], port: listening.port, tls }),
    new RegExp(`cannot listen on 127.0.0.1:${listening.port}: the address is in use by another program`),
  )
})
