import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import { exportJWK, SignJWT, UnsecuredJWT } from 'jose'
import { type VirtualClock, virtualClock } from '../../../lib/virtual-clock.ts'
import { type AuthenticationConfiguration, readAuthenticationConfiguration } from '../configuration.ts'
import { oidcTokens } from './authenticator.ts'
import { checkConfiguration } from './rules.ts'

const ISSUER = 'https://id.example'
const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 })
const [first, second] = [rsa(), rsa()]

interface World {
  readonly clock: VirtualClock
  readonly asked: string[]
  keys: { kid?: string; key: KeyObject }[]
  issuer: string
  down: boolean
}

const world = (): World => ({
  clock: virtualClock(Date.UTC(2026, 0, 1)),
  asked: [],
  keys: [{ kid: 'a', key: first.publicKey }],
  issuer: ISSUER,
  down: false,
})

const open = (state: World, configuration: AuthenticationConfiguration) =>
  oidcTokens(configuration, {
    clock: state.clock,
    ownIssuers: ['https://own.example'],
    fetchFor: () => async url => {
      state.asked.push(url)
      if (state.down) throw new Error(`Get ${url}: connection refused`)
      if (url.endsWith('/.well-known/openid-configuration'))
        return { issuer: state.issuer, jwks_uri: 'https://id.example/keys' }
      const keys = state.keys.map(async ({ kid, key }) => ({ ...(await exportJWK(key)), ...(kid && { kid }) }))
      return { keys: await Promise.all(keys) }
    },
  })

/** A token of the issuer; `claims` over the usual ones. */
async function token(state: World, claims: object = {}, key = first.privateKey, kid: string | undefined = 'a') {
  const now = Math.floor(state.clock.now() / 1000)
  const all = { iss: ISSUER, aud: 'tutti', sub: 'ann', exp: now + 600, ...claims }
  return new SignJWT(all).setProtectedHeader({ alg: 'RS256', ...(kid && { kid }) }).sign(key)
}

const simple = (more: object = {}, mappings: object = {}): AuthenticationConfiguration => ({
  jwt: [
    {
      issuer: { url: ISSUER, audiences: ['tutti'] },
      claimMappings: {
        username: { claim: 'sub', prefix: 'oidc:' },
        groups: { claim: 'groups', prefix: 'g:' },
        ...mappings,
      },
      ...more,
    },
  ],
})

/** The user of a token, or the words of its refusal. */
async function outcome(authenticate: ReturnType<typeof open>, text: string) {
  try {
    return (await authenticate(text, []))?.user
  } catch (error) {
    return (error as Error).message
  }
}

test('oidcTokens maps claims to a user, with prefixes, and keeps who came with it', async () => {
  const state = world()
  const authenticate = open(state, simple({}, { uid: { claim: 'uid' } }))
  const good = await token(state, { groups: ['dev', 'ops'], uid: '7', jti: 'x' })
  const user = await outcome(authenticate, good)
  assert.deepEqual(user, {
    name: 'oidc:ann',
    uid: '7',
    groups: ['g:dev', 'g:ops'],
    extra: { 'authentication.kubernetes.io/credential-id': ['JTI=x'] },
  })
  assert.equal(await outcome(authenticate, good), user, 'the same value, so that decisions about it are kept')
  const single = await outcome(authenticate, await token(state, { groups: 'dev', uid: '7' }))
  assert.deepEqual((single as { groups: readonly string[] }).groups, ['g:dev'])
  assert.deepEqual(state.asked, ['https://id.example/.well-known/openid-configuration', 'https://id.example/keys'])
})

test('oidcTokens maps by expressions, and refuses by rules', async () => {
  const state = world()
  const configuration = simple(
    {
      claimMappings: {
        username: { expression: 'claims.sub + "@" + claims.tenant' },
        groups: { expression: 'claims.roles.filter(r, r.startsWith("k8s-"))' },
        uid: { expression: 'string(claims.number)' },
        extra: [{ key: 'example.com/tenant', valueExpression: 'claims.tenant' }],
      },
      claimValidationRules: [
        { claim: 'hd', requiredValue: 'example.com' },
        { expression: 'claims.exp - claims.iat <= 86400', message: 'tokens must be short-lived' },
      ],
      userValidationRules: [
        { expression: "!user.username.startsWith('system:')", message: 'reserved name' },
        { expression: "user.groups.all(group, !group.startsWith('system:'))", message: 'reserved group' },
      ],
    },
    {},
  )
  const authenticate = open(state, configuration)
  const now = Math.floor(state.clock.now() / 1000)
  const claims = { tenant: 'shop', roles: ['k8s-dev', 'other'], number: 42, hd: 'example.com', iat: now }
  assert.deepEqual(await outcome(authenticate, await token(state, claims)), {
    name: 'ann@shop',
    uid: '42',
    groups: ['k8s-dev'],
    extra: { 'example.com/tenant': ['shop'] },
  })
  const cases: [object, RegExp][] = [
    [{ ...claims, hd: 'other' }, /required claim hd value does not match. Got = other, want = example.com/],
    [{ ...claims, hd: undefined }, /required claim hd not present/],
    [{ ...claims, iat: now - 90_000 }, /failed: tokens must be short-lived/],
    [{ ...claims, sub: 'system:admin' }, /failed: reserved name/],
    [{ ...claims, tenant: undefined }, /no such key: tenant/],
    [{ ...claims, tenant: 7 }, /no such overload/],
    [{ ...claims, roles: 'k8s-dev' }, /error evaluating group claim expression/],
  ]
  for (const [bad, words] of cases)
    assert.match(String(await outcome(authenticate, await token(state, bad))), words, JSON.stringify(bad))
})

test('oidcTokens refuses tokens that are expired, forged, for others or not signed', async () => {
  const state = world()
  const authenticate = open(state, simple())
  const now = Math.floor(state.clock.now() / 1000)
  const good = await token(state)
  const [head, , signature] = good.split('.')
  const changed = Buffer.from(JSON.stringify({ iss: ISSUER, aud: 'tutti', sub: 'root', exp: now + 60 }))
  const secret = new TextEncoder().encode(first.publicKey.export({ type: 'spki', format: 'pem' }) as string)
  const confused = await new SignJWT({ iss: ISSUER, aud: 'tutti', sub: 'root', exp: now + 60 })
    .setProtectedHeader({ alg: 'HS256', kid: 'a' })
    .sign(secret)
  const none = new UnsecuredJWT({ iss: ISSUER, aud: 'tutti', sub: 'root', exp: now + 60 }).encode()
  const cases: [string, RegExp][] = [
    [await token(state, { exp: now - 1 }), /oidc: verify token: oidc: token is expired \(Token Expiry: /],
    [await token(state, { exp: undefined }), /token is expired/],
    [await token(state, { nbf: now + 301 }), /before the nbf/],
    [await token(state, { aud: 'vault' }), /expected audience in \["tutti"\] got \["vault"\]/],
    [await token(state, { aud: undefined }), /expected audience/],
    [await token(state, {}, second.privateKey), /failed to verify signature/],
    [`${head}.${changed.toString('base64url')}.${signature}`, /failed to verify signature/],
    [confused, /unsupported algorithm/],
    [none, /unsupported algorithm/],
    [`${good.slice(0, -10)}AAAAAAAAAA`, /failed to verify signature/],
    [await token(state, { sub: undefined }), /parse username claims "sub": claim not present/],
    [await token(state, { sub: 7 }), /the claim is not a string/],
    [await token(state, { _claim_names: { groups: 'x' } }), /is distributed, which is not built/],
  ]
  for (const [text, words] of cases) assert.match(String(await outcome(authenticate, text)), words, text)
  const foreign = [await token(state, { iss: 'https://other.example' }), 'x', 'a.b.c', `${good}.x`, 'x'.repeat(1 << 20)]
  for (const text of foreign) assert.equal(await outcome(authenticate, text), undefined)
  await state.clock.advance(700_000)
  assert.match(String(await outcome(authenticate, good)), /token is expired/)
})

test('oidcTokens looks for new keys when a token names one, and asks an issuer no more than it must', async () => {
  const state = world()
  const authenticate = open(state, simple())
  state.down = true
  const early = await token(state)
  assert.match(String(await outcome(authenticate, early)), /connection refused/)
  assert.match(String(await outcome(authenticate, early)), /connection refused/)
  assert.equal(state.asked.length, 1, 'an issuer that is down is left alone for a while')
  state.down = false
  await state.clock.advance(10_000)
  const all = await Promise.all([1, 2, 3].map(() => outcome(authenticate, early)))
  for (const user of all) assert.equal((user as { name: string }).name, 'oidc:ann')
  assert.equal(state.asked.length, 3)

  state.keys = [...state.keys, { kid: 'b', key: second.publicKey }]
  await state.clock.advance(10_000)
  const rotated = await token(state, {}, second.privateKey, 'b')
  assert.equal(((await outcome(authenticate, rotated)) as { name: string }).name, 'oidc:ann')
  assert.equal(state.asked.length, 4)
  for (let i = 0; i < 20; i++) {
    const stranger = await token(state, {}, second.privateKey, `kid-${i}`)
    assert.match(String(await outcome(authenticate, stranger)), /failed to verify signature/)
  }
  assert.equal(state.asked.length, 4, 'strangers do not make the server ask')

  state.down = true
  await state.clock.advance(60_000)
  const later = await token(state, {}, second.privateKey, 'b')
  assert.equal(((await outcome(authenticate, later)) as { name: string }).name, 'oidc:ann')
})

test('oidcTokens wants the discovery document to be of the issuer', async () => {
  const state = world()
  state.issuer = 'https://evil.example'
  assert.match(String(await outcome(open(state, simple()), await token(state))), /issuer did not match/)
  const elsewhere = {
    ...simple().jwt![0]!.issuer,
    discoveryURL: 'https://inside.example/x/.well-known/openid-configuration',
  }
  state.issuer = ISSUER
  await outcome(open(state, simple({ issuer: elsewhere })), await token(state))
  assert.equal(state.asked.at(-2), 'https://inside.example/x/.well-known/openid-configuration')
})

test('checkConfiguration finds what is wrong in the words of Kubernetes', () => {
  const issuer = { url: ISSUER, audiences: ['tutti'] }
  const username = { claim: 'sub', prefix: '' }
  const expression = (source: string) => ({ issuer, claimMappings: { username: { expression: source } } })
  const cases: [object, string, RegExp][] = [
    [{ issuer: { ...issuer, url: '' } }, 'jwt[0].issuer.url', /Required value/],
    [{ issuer: { ...issuer, url: 'http://x' } }, 'jwt[0].issuer.url', /URL scheme must be https/],
    [{ issuer: { ...issuer, url: 'https://own.example' } }, 'jwt[0].issuer.url', /must not overlap with disallowed/],
    [{ issuer: { ...issuer, url: 'https://a:b@x' } }, 'jwt[0].issuer.url', /username or password/],
    [{ issuer: { ...issuer, url: 'https://x?y' } }, 'jwt[0].issuer.url', /must not contain a query/],
    [{ issuer: { ...issuer, discoveryURL: `${ISSUER}/` } }, 'jwt[0].issuer.discoveryURL', /must be different from URL/],
    [{ issuer: { ...issuer, audiences: [] } }, 'jwt[0].issuer.audiences', /at least one/],
    [{ issuer: { ...issuer, audiences: ['a', 'b'] } }, 'jwt[0].issuer.audienceMatchPolicy', /must be MatchAny/],
    [{ issuer: { ...issuer, certificateAuthority: 'x' } }, 'jwt[0].issuer.certificateAuthority', /certificates in PEM/],
    [{ claimMappings: {} }, 'jwt[0].claimMappings.username', /claim or expression is required/],
    [{ claimMappings: { username: { claim: 'sub' } } }, 'jwt[0].claimMappings.username.prefix', /prefix is required/],
    [expression('claims.'), 'jwt[0].claimMappings.username.expression', /compilation failed/],
    [expression('user.username'), 'jwt[0].claimMappings.username.expression', /undeclared reference to 'user'/],
    [expression('claims.email'), 'jwt[0].claimMappings.username.expression', /email_verified must be used/],
    [
      { claimValidationRules: [{ expression: '"x"' }] },
      'jwt[0].claimValidationRules[0].expression',
      /must evaluate to bool/,
    ],
    [{ claimValidationRules: [{}] }, 'jwt[0].claimValidationRules[0]', /claim or expression is required/],
    [
      { userValidationRules: [{ expression: 'user.nothing == ""' }] },
      'jwt[0].userValidationRules[0].expression',
      /undefined field 'nothing'/,
    ],
    [
      { claimMappings: { username, extra: [{ key: 'a.kubernetes.io/x', valueExpression: '"x"' }] } },
      'jwt[0].claimMappings.extra[0].key',
      /reserved for Kubernetes use/,
    ],
    [
      { claimMappings: { username, extra: [{ key: 'x', valueExpression: '"x"' }] } },
      'jwt[0].claimMappings.extra[0].key',
      /domain-prefixed path/,
    ],
  ]
  for (const [part, field, words] of cases) {
    const jwt = [{ issuer, claimMappings: { username }, ...part }] as AuthenticationConfiguration['jwt'] & object
    const { errors } = checkConfiguration({ jwt }, ['https://own.example'])
    const found = errors.find(error => error.field === field)
    assert.match(found?.message ?? JSON.stringify(errors), words, JSON.stringify(part))
  }
  const verified = [expression('claims.email_verified ? claims.email : "x"'), { issuer, claimMappings: { username } }]
  assert.deepEqual(checkConfiguration({ jwt: verified.slice(0, 1) }, []).errors, [])
  const twice = checkConfiguration({ jwt: verified }, []).errors
  assert.deepEqual(
    twice.map(({ field }) => field),
    ['jwt[1].issuer.url'],
  )
})

test('readAuthenticationConfiguration reads YAML strictly', async () => {
  const text = `
apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
anonymous: { enabled: true, conditions: [{ path: /livez }] }
jwt:
- issuer: { url: https://id.example, audiences: [tutti] }
  claimMappings: { username: { claim: sub, prefix: "" } }
`
  const read = await readAuthenticationConfiguration(text)
  assert.deepEqual(read.anonymous, { enabled: true, conditions: [{ path: '/livez' }] })
  assert.equal(read.jwt?.[0]?.issuer.url, ISSUER)
  for (const [bad, words] of [
    [text.replace('audiences', 'audience'), /unknown field "jwt\[0\].issuer.audience"/],
    [text.replace('enabled: true', 'enabled: "yes"'), /anonymous.enabled must be a boolean/],
    [text.replace('/v1', '/v9'), /expected apiVersion .*, kind AuthenticationConfiguration/],
    ['[]', /kind AuthenticationConfiguration/],
  ] as const)
    await assert.rejects(readAuthenticationConfiguration(bad), words)
})
