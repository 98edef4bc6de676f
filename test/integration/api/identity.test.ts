/** Who the server takes a client for, over TLS: certificates and tokens that are good, and those that are not. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { type RequestOptions, request as startRequest } from 'node:https'
import { after, before, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { Listening } from '../../../src/apiserver/server.ts'
import { type Cluster, startCluster } from '../../../src/cmd/testing.ts'
import { createAuthority, issueCertificate, type KeyPair } from '../../../src/lib/pki/certificate.ts'
import type { Loose } from './start.ts'

const HOUR = 3_600_000
const WHO = '/apis/authentication.k8s.io/v1/selfsubjectreviews'

let cluster: Cluster
let listening: Listening
let authority: KeyPair
let stranger: KeyPair

before(async () => {
  cluster = await startCluster({ controllers: false, nodes: 0 })
  authority = await cluster.authority()
  stranger = await createAuthority({ commonName: 'kubernetes', now: Date.now(), lifetime: HOUR })
  const times = { now: Date.now(), lifetime: HOUR }
  const own = await issueCertificate(authority, { commonName: 'api', usage: 'server', hosts: ['127.0.0.1'], ...times })
  listening = await cluster.server.listen({
    hosts: ['127.0.0.1'],
    port: 0,
    tls: { key: own.key, cert: own.certificate, clientCa: authority.certificate },
  })
  await cluster.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'web' } })
})
after(() => cluster.stop())

type Headers = Record<string, string | string[]>

/** One request over HTTP/1.1; the answer is read loosely. */
async function send(headers: Headers, method = 'POST', path = WHO, tls: RequestOptions = {}) {
  const request = startRequest({
    host: '127.0.0.1',
    port: listening.port,
    ca: authority.certificate,
    agent: false,
    method,
    path,
    headers: { ...(method === 'POST' && { 'content-type': 'application/json' }), ...headers },
    ...tls,
  })
  request.end(method === 'POST' ? '{}' : undefined)
  const [response] = (await once(request, 'response')) as [Loose]
  let text = ''
  for await (const chunk of response) text += chunk
  return { status: response.statusCode as number, object: text.startsWith('{') ? JSON.parse(text) : text }
}

const client = async (
  commonName: string,
  options: { by?: KeyPair; organizations?: string[]; now?: number; usage?: 'client' | 'server' } = {},
) => {
  const { certificate: cert, key } = await issueCertificate(options.by ?? authority, {
    commonName,
    organizations: options.organizations ?? [],
    usage: options.usage ?? 'client',
    now: options.now ?? Date.now(),
    lifetime: HOUR,
  })
  return { cert, key }
}

async function tokenFor(spec: object = {}): Promise<string> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec }
  const { object } = await cluster.transport({
    method: 'POST',
    path: '/api/v1/namespaces/default/serviceaccounts/web/token',
    body,
  })
  return (object as Loose).status.token
}
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

test('a certificate of the cluster’s authority names its user and groups', async () => {
  const { status, object } = await send({}, 'POST', WHO, await client('ann', { organizations: ['dev', 'ops'] }))
  assert.equal(status, 201, JSON.stringify(object))
  const { userInfo } = object.status
  assert.equal(userInfo.username, 'ann')
  assert.deepEqual(userInfo.groups, ['dev', 'ops', 'system:authenticated'])
  assert.match(userInfo.extra['authentication.kubernetes.io/credential-id'][0], /^X509SHA256=/)
})

test('certificates that are not good are refused everywhere, and never taken for anonymous', async () => {
  const bad = {
    'of another authority': await client('kubernetes-admin', { by: stranger, organizations: ['system:masters'] }),
    expired: await client('ann', { now: Date.now() - 3 * HOUR }),
    'of the future': await client('ann', { now: Date.now() + 3 * HOUR }),
    'for servers': await client('ann', { usage: 'server' }),
  }
  for (const [what, tls] of Object.entries(bad))
    for (const path of ['/version', '/api/v1/namespaces', '/healthz']) {
      const { status, object } = await send({}, 'GET', path, tls)
      assert.equal(status, 401, `${what} ${path}: ${JSON.stringify(object)}`)
      assert.equal(object.reason, 'Unauthorized')
    }
})

test('a token names its account; one that is not good is 401 in the same words, whatever is wrong', async () => {
  const good = await tokenFor()
  const { status, object } = await send(bearer(good))
  assert.equal(status, 201, JSON.stringify(object))
  assert.equal(object.status.userInfo.username, 'system:serviceaccount:default:web')
  assert.match(object.status.userInfo.extra['authentication.kubernetes.io/credential-id'][0], /^JTI=/)

  const [head = '', claims = '', signature = ''] = good.split('.')
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const read = JSON.parse(Buffer.from(claims, 'base64url').toString())
  const bad = {
    'for another audience': await tokenFor({ audiences: ['vault'] }),
    'with changed claims': `${head}.${encode({ ...read, sub: 'system:serviceaccount:kube-system:default' })}.${signature}`,
    'of another issuer': `${head}.${encode({ ...read, iss: 'https://evil.example' })}.${signature}`,
    'with another algorithm': `${encode({ alg: 'HS256', typ: 'JWT' })}.${claims}.${signature}`,
    'without a signature': `${encode({ alg: 'none' })}.${claims}.`,
    'cut short': good.slice(0, -20),
    'with something after it': `${good}x`,
    'of four parts': `${good}.x`,
    'that is no token': 'x',
    'that is binary': Buffer.from([1, 2, 255])
      .toString('latin1')
      .replaceAll(/[^\x20-\x7e]/g, '~'),
    'of 12 KB': 'a.'.repeat(6000),
    'of a bootstrap secret that is not there': 'abcdef.0123456789abcdef',
  }
  for (const [what, token] of Object.entries(bad))
    for (const path of ['/version', '/api/v1/namespaces']) {
      const answer = await send(bearer(token), 'GET', path)
      assert.equal(answer.status, 401, `a token ${what}: ${JSON.stringify(answer.object)}`)
      assert.equal(answer.object.message, 'Unauthorized')
    }
})

test('headers too large to be read end the request, not the server', async () => {
  const { status } = await send(bearer('x'.repeat(40_000)), 'GET', '/version')
  assert.equal(status, 431)
  const session = connectHttp2(`https://127.0.0.1:${listening.port}`, { ca: authority.certificate })
  const stream = session.request({ ':path': '/version', authorization: `Bearer ${'x'.repeat(200_000)}` })
  stream.on('error', () => {})
  session.on('error', () => {})
  await once(stream, 'close').catch(() => {})
  session.destroy()
  assert.equal((await send({}, 'GET', '/version')).status, 200)
})

test('without credentials a client sees health and version; Basic credentials are none', async () => {
  const basic = { authorization: `Basic ${Buffer.from('admin:admin').toString('base64')}` }
  for (const headers of [{}, basic, { authorization: 'Bearer' }] as Headers[]) {
    for (const path of ['/version', '/healthz', '/livez', '/readyz'])
      assert.equal((await send(headers, 'GET', path)).status, 200, path)
    for (const path of ['/', '/api', '/apis', '/metrics', '/openapi/v2', '/api/v1/namespaces', '/openid/v1/jwks'])
      assert.equal((await send(headers, 'GET', path)).status, 401, path)
  }
})

test('the headers of front proxies are nothing where no proxy is trusted', async () => {
  const headers = { 'x-remote-user': 'kubernetes-admin', 'x-remote-group': 'system:masters' }
  assert.equal((await send(headers, 'GET', '/api/v1/namespaces')).status, 401)
  const { object } = await send(headers, 'POST', WHO, await client('ann'))
  assert.equal(object.status.userInfo.username, 'ann')
})

test('who may impersonate is taken for the other, by certificate and over HTTP/2 too', async () => {
  const tls = await client('boss', { organizations: ['system:masters'] })
  const headers = { 'impersonate-user': 'ann', 'impersonate-group': ['a, b', 'c'], 'impersonate-uid': '7' }
  const { status, object } = await send(headers, 'POST', WHO, tls)
  assert.equal(status, 201, JSON.stringify(object))
  assert.deepEqual(object.status.userInfo, {
    username: 'ann',
    uid: '7',
    groups: ['a, b', 'c', 'system:authenticated'],
  })
  const refused = await send({ 'impersonate-user': 'boss' }, 'GET', '/api/v1/namespaces', await client('ann'))
  assert.equal(refused.status, 403)
  const session = connectHttp2(`https://127.0.0.1:${listening.port}`, { ca: authority.certificate, ...tls })
  const stream = session.request({
    ':method': 'POST',
    ':path': WHO,
    'content-type': 'application/json',
    ...headers,
  })
  stream.end('{}')
  let text = ''
  for await (const chunk of stream) text += chunk
  session.destroy()
  assert.deepEqual(JSON.parse(text).status.userInfo.groups, ['a, b', 'c', 'system:authenticated'])
})

test('a session that TLS takes up again knows its user', async () => {
  const tls = await client('ann')
  const options = { host: '127.0.0.1', port: listening.port, ca: authority.certificate, ...tls }
  const ask = async (session?: Buffer) => {
    const socket = connectTls({ ...options, ...(session && { session }) })
    let kept: Buffer | undefined
    socket.on('session', ticket => {
      kept = ticket
    })
    const body = '{}'
    socket.write(
      `POST ${WHO} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    )
    let text = ''
    for await (const chunk of socket) text += chunk
    return { kept, reused: socket.isSessionReused(), text }
  }
  const first = await ask()
  assert.match(first.text, /"username":"ann"/)
  const again = await ask(first.kept)
  assert.match(again.text, /"username":"ann"/)
})

test('the issuer’s documents verify its tokens', async () => {
  const token = await tokenFor()
  const issuer = await send(bearer(token), 'GET', '/.well-known/openid-configuration')
  assert.equal(issuer.status, 200, JSON.stringify(issuer.object))
  const { createLocalJWKSet, jwtVerify } = await import('jose')
  const { object: keys } = await send(bearer(token), 'GET', '/openid/v1/jwks')
  const { payload } = await jwtVerify(token, createLocalJWKSet(keys), { issuer: issuer.object.issuer })
  assert.equal(payload.sub, 'system:serviceaccount:default:web')
})
