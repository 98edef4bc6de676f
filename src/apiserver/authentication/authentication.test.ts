import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import { createAuthority, issueCertificate } from '../../lib/pki/certificate.ts'
import { virtualClock } from '../../lib/virtual-clock.ts'
import type { Authenticator, ClientCertificate, Credentials, UserInfo } from './authenticator.ts'
import { anyOf, bearerTokens, tokenOf, webSocketTokens } from './bearer.ts'
import { clientCertificates } from './certificates.ts'
import { FRONT_PROXY_HEADERS, fingerprints, frontProxy } from './front-proxy.ts'
import { staticTokens } from './static-tokens.ts'

const HOUR = 3_600_000
const clock = virtualClock(Date.UTC(2026, 0, 1))
const times = { now: clock.now(), lifetime: HOUR }
const authority = await createAuthority({ commonName: 'clients', ...times })
const proxies = await createAuthority({ commonName: 'proxies', ...times })

async function shown(
  commonName: string,
  organizations: string[] = [],
  by = authority,
  usage: 'client' | 'server' = 'client',
): Promise<ClientCertificate> {
  const { certificate } = await issueCertificate(by, { commonName, organizations, usage, ...times })
  return { raw: new X509Certificate(certificate).raw, authority: fingerprints(by.certificate)[0]! }
}

/** A certificate whose subject holds uids. */
async function withUids(...uids: string[]): Promise<ClientCertificate> {
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: ['ann'] }, ...uids.map(uid => ({ '1.3.6.1.4.1.57683.2': [uid] }))],
    keys,
    notBefore: new Date(clock.now() - 1000),
    notAfter: new Date(clock.now() + HOUR),
  })
  return { raw: Buffer.from(certificate.rawData) }
}

/** What becomes of credentials: a user, undefined, or the words of the error. */
async function outcome(authenticate: Authenticator, credentials: Partial<Credentials>) {
  try {
    return await authenticate({ headers: {}, ...credentials })
  } catch (error) {
    return (error as Error).message
  }
}

test('clientCertificates takes the common name for the user, organizations for groups, and the uid', async () => {
  const authenticate = clientCertificates(clock)
  const user = (await outcome(authenticate, { certificate: await shown('ann', ['a', 'b']) })) as UserInfo
  assert.equal(user.name, 'ann')
  assert.deepEqual(user.groups, ['a', 'b'])
  assert.match(user.extra?.['authentication.kubernetes.io/credential-id']?.[0] ?? '', /^X509SHA256=[0-9a-f]{64}$/)
  assert.equal(((await outcome(authenticate, { certificate: await withUids('7') })) as UserInfo).uid, '7')
  assert.equal(await outcome(authenticate, {}), undefined)
})

test('clientCertificates refuses certificates that are not good for a client, or not any more', async () => {
  const authenticate = clientCertificates(clock, fingerprint => fingerprint === fingerprints(authority.certificate)[0])
  const late = virtualClock(clock.now() + 2 * HOUR)
  const early = virtualClock(clock.now() - 2 * HOUR)
  const good = await shown('ann')
  const cases: [RegExp, Authenticator, ClientCertificate][] = [
    [/incompatible key usage/, authenticate, await shown('ann', [], authority, 'server')],
    [/unknown authority/, authenticate, await shown('ann', [], proxies)],
    [/UNABLE_TO_VERIFY/, authenticate, { raw: good.raw, problem: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }],
    [/has expired/, clientCertificates(late), good],
    [/not valid yet/, clientCertificates(early), good],
    [/expected 1 UID/, clientCertificates(clock), await withUids('7', '8')],
  ]
  for (const [words, by, certificate] of cases) assert.match(String(await outcome(by, { certificate })), words)
})

test('frontProxy believes the headers of a proxy that proves itself, and takes them off', async () => {
  const authenticate = frontProxy({
    authority: proxies.certificate,
    allowedNames: ['front-proxy-client'],
    ...FRONT_PROXY_HEADERS,
  })
  const certificate = await shown('front-proxy-client', [], proxies)
  const headers = {
    'x-remote-user': 'ann',
    'x-remote-uid': '7',
    'x-remote-group': 'a, b, c',
    'x-remote-extra-scopes%2fx': 'read',
    accept: '*/*',
  }
  // A group whose name holds a comma is one group.
  const rawHeaders = ['X-Remote-Group', 'a, b', 'X-Remote-Group', 'c', 'X-Remote-Extra-Scopes%2Fx', 'read']
  rawHeaders.push('X-Remote-User', 'ann', 'X-Remote-Uid', '7')
  const wanted = { name: 'ann', uid: '7', groups: ['a, b', 'c'], extra: { 'scopes/x': ['read'] } }
  const first = { ...headers }
  const user = await outcome(authenticate, { certificate, headers: first, rawHeaders })
  assert.deepEqual(user, wanted)
  assert.deepEqual(first, { accept: '*/*' })
  assert.equal(await outcome(authenticate, { certificate, headers: { ...headers }, rawHeaders }), user)
  const other = await shown('someone', [], proxies)
  assert.match(String(await outcome(authenticate, { certificate: other, headers })), /not in the allowed list/)
  for (const bad of [undefined, await shown('front-proxy-client'), { ...certificate, problem: 'x' }])
    assert.equal(await outcome(authenticate, { ...(bad && { certificate: bad }), headers }), undefined)
  assert.equal(await outcome(authenticate, { certificate, headers: {} }), undefined)
})

test('tokenOf takes the second word of a Bearer header', () => {
  const cases: [string | undefined, string | undefined][] = [
    ['Bearer abc', 'abc'],
    ['bearer abc def', 'abc'],
    ['Bearer  abc', undefined],
    ['Bearer', undefined],
    ['Basic abc', undefined],
    [undefined, undefined],
  ]
  for (const [header, token] of cases) assert.equal(tokenOf(header), token, String(header))
})

const fixed = anyOf([
  () => {
    throw new Error('broken')
  },
  staticTokens('good,ann,1,"a,b"\n'),
])

test('bearerTokens and webSocketTokens ask all who know tokens, and refuse what nobody knows', async () => {
  const ann = { name: 'ann', uid: '1', groups: ['a', 'b'] }
  const bearer = bearerTokens(fixed, [])
  assert.deepEqual(await outcome(bearer, { headers: { authorization: 'Bearer good' } }), ann)
  assert.equal(await outcome(bearer, { headers: { authorization: 'Bearer x' } }), '[invalid bearer token, broken]')
  assert.equal(await outcome(bearer, { headers: { authorization: 'Basic x' } }), undefined)
  const socket = webSocketTokens(fixed, [])
  const protocol = (token: string) =>
    `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString('base64url')}`
  const upgrade = (...protocols: string[]) => ({ upgrade: 'websocket', 'sec-websocket-protocol': protocols.join(', ') })
  const headers = upgrade(protocol('good'), 'v5.channel.k8s.io')
  assert.deepEqual(await outcome(socket, { headers }), ann)
  assert.equal(headers['sec-websocket-protocol'], 'v5.channel.k8s.io')
  assert.match(String(await outcome(socket, { headers: upgrade(protocol('good')) })), /missing additional subprotocol/)
  assert.match(String(await outcome(socket, { headers: upgrade(protocol('a'), protocol('b'), 'c') })), /multiple/)
  assert.match(String(await outcome(socket, { headers: upgrade(`${protocol('a')}=`, 'c') })), /encoding/)
  assert.equal(await outcome(socket, { headers: upgrade('v5.channel.k8s.io') }), undefined)
})

test('staticTokens reads CSV, quotes and all, and refuses short records', () => {
  const tokens = staticTokens('a,ann,1\r\nb,"bob ""the"" builder",2,"x,y"\n\n,nobody,3\n')
  assert.deepEqual(tokens('a', []), { user: { name: 'ann', uid: '1', groups: [] } })
  assert.deepEqual(tokens('b', []), { user: { name: 'bob "the" builder', uid: '2', groups: ['x', 'y'] } })
  assert.equal(tokens('', []), undefined)
  assert.throws(() => staticTokens('a,b\n'), /record 1 of the token file has too few fields/)
  assert.throws(() => staticTokens('a,"b'), /quote/)
})
