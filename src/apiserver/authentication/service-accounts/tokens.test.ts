import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { ADMIN, account, identify, pod, startServer, type TestServer } from '../../bootstrap/server.fixture.ts'
import { createTokenSigner } from './token-signer.ts'

const SA = '/api/v1/namespaces/default/serviceaccounts'
const PODS = '/api/v1/namespaces/default/pods'

async function cluster() {
  const api = await startServer()
  await api.send(ADMIN, 'POST', SA, account('web'))
  await api.send(ADMIN, 'POST', SA, account('other'))
  await api.send(ADMIN, 'POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } })
  await api.send(ADMIN, 'POST', PODS, pod('web-1', { serviceAccountName: 'web', nodeName: 'n1' }))
  return api
}

const request = ({ send }: TestServer, spec: object = {}, name = 'web') =>
  send(ADMIN, 'POST', `${SA}/${name}/token`, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec })

/** The user of a token; the status code where it is refused. */
const whose = ({ extensions }: TestServer, token: string) => identify(extensions, { authorization: `Bearer ${token}` })

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())

test('a token is its service account’s until it expires', async () => {
  const api = await cluster()
  const { status, object } = await request(api, { expirationSeconds: 600 })
  assert.equal(status, 201)
  assert.deepEqual(object.spec.audiences, ['https://kubernetes.default.svc.cluster.local'])
  const { token, expirationTimestamp } = object.status
  assert.equal(Date.parse(expirationTimestamp), api.clock.now() + 600_000)
  const [user, ...again] = await Promise.all([whose(api, token), whose(api, token)])
  assert.ok(typeof user === 'object')
  assert.equal(user.name, 'system:serviceaccount:default:web')
  assert.deepEqual(user.groups, ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'])
  again.push(await whose(api, token))
  assert.ok(
    again.every(other => other === user),
    'the same value each time, so that decisions about it are kept',
  )
  await api.clock.advance(700_000)
  assert.equal(await whose(api, token), 401)
  await api.server.close()
})

test('a token bound to a pod names it and its node, lasts a year for old clients, and goes with the pod', async () => {
  const api = await cluster()
  const ref = { apiVersion: 'v1', kind: 'Pod', name: 'web-1' }
  const { object } = await request(api, { boundObjectRef: ref, expirationSeconds: 3607 })
  const claims = claimsOf(object.status.token)
  assert.equal(claims['kubernetes.io'].pod.name, 'web-1')
  assert.equal(claims['kubernetes.io'].node.name, 'n1')
  assert.equal(claims.exp - claims.iat, 365 * 24 * 3600)
  assert.equal(claims['kubernetes.io'].warnafter - claims.iat, 3607)
  const user = await whose(api, object.status.token)
  assert.ok(typeof user === 'object')
  assert.deepEqual(user.extra?.['authentication.kubernetes.io/pod-name'], ['web-1'])
  await api.send(ADMIN, 'DELETE', `${PODS}/web-1`, { gracePeriodSeconds: 0 })
  assert.equal(await whose(api, object.status.token), 401)
  await api.server.close()
})

test('a token goes with its account, even when one of the same name follows', async () => {
  const api = await cluster()
  const { token } = (await request(api)).object.status
  await api.send(ADMIN, 'DELETE', `${SA}/web`)
  assert.equal(await whose(api, token), 401)
  await api.send(ADMIN, 'POST', SA, account('web'))
  assert.equal(await whose(api, token), 401)
  await api.server.close()
})

test('a token for another audience, by another key or with a changed claim is refused', async () => {
  const api = await cluster()
  const { token: other } = (await request(api, { audiences: ['vault'] })).object.status
  const { token: good } = (await request(api)).object.status
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const forger = createTokenSigner(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string)
  const [head, , signature] = good.split('.')
  const changed = Buffer.from(JSON.stringify({ ...claimsOf(good), sub: 'root' })).toString('base64url')
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${good.split('.')[1]}.`
  for (const token of [other, await forger.sign(claimsOf(good)), `${head}.${changed}.${signature}`, none, 'x', 'a.b.c'])
    assert.equal(await whose(api, token), 401, token)
  await api.server.close()
})

test('TokenRequest is refused in the words of Kubernetes', async () => {
  const api = await cluster()
  const cases: [object, string, number, RegExp][] = [
    [{ expirationSeconds: 10 }, 'web', 422, /may not specify a duration less than 10 minutes/],
    [
      { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'web-1' } },
      'other',
      400,
      /pod running with different serviceaccount name/,
    ],
    [{ boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'no' } }, 'web', 404, /pods "no" not found/],
    [
      { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'web-1', uid: 'x' } },
      'web',
      409,
      /does not match the UID in record/,
    ],
    [
      { boundObjectRef: { apiVersion: 'v1', kind: 'Job', name: 'x' } },
      'web',
      400,
      /cannot bind token to object of type/,
    ],
    [{}, 'absent', 404, /serviceaccounts "absent" not found/],
  ]
  for (const [spec, name, status, message] of cases) {
    const reply = await request(api, spec, name)
    assert.equal(reply.status, status, JSON.stringify(reply.object))
    assert.match(reply.object.message, message)
  }
  await api.server.close()
})

test('createTokenSigner signs with P-256 and RSA keys, so that its JWKS verifies, and refuses others', async () => {
  const keys = {
    ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  }
  for (const [algorithm, { privateKey }] of Object.entries(keys)) {
    const signer = createTokenSigner(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string)
    const token = await signer.sign({ a: 1 })
    assert.equal(signer.algorithm, algorithm)
    assert.deepEqual(await signer.verify(token), { a: 1 })
    assert.deepEqual(await signer.verify(signer.signNow({ b: 2 })), { b: 2 })
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(await signer.jwks()))
    assert.deepEqual(payload, { a: 1 })
    assert.equal(protectedHeader.alg, algorithm)
  }
  const ed = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  assert.throws(() => createTokenSigner(ed), /expected RSA or ECDSA P-256/)
})

test('TokenReview says whose a token is, for which audiences, or what is wrong', async () => {
  const api = await cluster()
  const { token } = (await request(api, { audiences: ['vault', 'api'] })).object.status
  const review = async (spec: object) =>
    (
      await api.send(ADMIN, 'POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec,
      })
    ).object
  const good = await review({ token, audiences: ['vault', 'x'] })
  assert.equal(good.status.authenticated, true)
  assert.equal(good.status.user.username, 'system:serviceaccount:default:web')
  assert.deepEqual(good.status.audiences, ['vault'])
  assert.match((await review({ token })).status.error, /invalid for the target audiences/)
  assert.match((await review({ token: 'x' })).status.error, /invalid bearer token/)
  assert.match((await review({})).message, /token is required/)
  await api.server.close()
})
