import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { UserError } from '../../cli/context.ts'
import { createAuthority } from '../../lib/pki/certificate.ts'
import { pinOf } from '../../lib/pki/pin.ts'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { discover, type Reply } from './discover.ts'
import { checkVersion } from './join.ts'

const NOW = Date.UTC(2026, 0, 1)
const [ID, SECRET] = ['abcdef', '0123456789abcdef']
const { certificate } = await createAuthority({ commonName: 'kubernetes', now: NOW, lifetime: 3_600_000 })
const kubeconfig = `clusters:
- cluster:
    certificate-authority-data: ${Buffer.from(certificate).toString('base64')}
    server: https://192.0.2.1:6443
  name: ""
`
function signature(text: string, id: string, secret: string): string {
  const part = (value: string) => Buffer.from(value).toString('base64url')
  const header = part(JSON.stringify({ alg: 'HS256', kid: id }))
  return `${header}..${createHmac('sha256', secret)
    .update(`${header}.${part(text)}`)
    .digest('base64url')}`
}
const GOOD = { kubeconfig, [`jws-kubeconfig-${ID}`]: signature(kubeconfig, ID, SECRET) }

/** What comes of asking a server that publishes this. */
async function outcome(
  data: Record<string, string> | undefined,
  options: { token?: string; pins?: string[]; date?: number; status?: number; later?: Record<string, string> } = {},
) {
  const clock = virtualClock(NOW)
  let asked = 0
  const ask = async (): Promise<Reply> => {
    const current = asked++ > 2 ? (options.later ?? data) : data
    return { status: options.status ?? 200, body: JSON.stringify({ data: current }), date: options.date ?? NOW }
  }
  const { token = `${ID}.${SECRET}`, pins = [pinOf(certificate)] } = options
  const target = { address: '192.0.2.1:6443', token, pins }
  let ended = false
  const result = discover(target, { clock, signal: new AbortController().signal, ask }).then(
    found => found.server,
    (error: unknown) => {
      assert.ok(error instanceof UserError)
      assert.ok(error.hint, 'it says what to do')
      return error.message
    },
  )
  void result.then(() => (ended = true))
  for (let turn = 0; !ended && turn < 100; turn++) await clock.advance(300)
  return result
}

test('discover finds the server of a cluster that the token and the pin vouch for', async () => {
  assert.equal(await outcome(GOOD), 'https://192.0.2.1:6443')
  assert.equal(
    await outcome(GOOD, { pins: [`sha256:${'0'.repeat(64)}`, pinOf(certificate)] }),
    'https://192.0.2.1:6443',
  )
  assert.equal(
    await outcome({ kubeconfig }, { later: GOOD }),
    'https://192.0.2.1:6443',
    'the signature comes a little later',
  )
})

for (const [what, data, options, expected] of [
  ['an unknown token', { kubeconfig }, {}, /does not know the token abcdef/],
  ['a token of another cluster', GOOD, { token: `${ID}.fedcba9876543210` }, /its second part is wrong/],
  [
    'a text that was changed',
    { ...GOOD, kubeconfig: kubeconfig.replace('192.0.2.1', '192.0.2.66') },
    {},
    /poses as the cluster/,
  ],
  [
    'a signature of another algorithm',
    { ...GOOD, [`jws-kubeconfig-${ID}`]: `${Buffer.from('{"alg":"none","kid":"abcdef"}').toString('base64url')}..` },
    {},
    /second part is wrong/,
  ],
  [
    'another CA',
    GOOD,
    { pins: [`sha256:${'0'.repeat(64)}`] },
    /is not the one that was pinned: it is sha256:[0-9a-f]{64}$/,
  ],
  ['no pin', GOOD, { pins: [] }, /is not pinned/],
  ['a pin that is none', GOOD, { pins: ['sha1:00'] }, /is no pin of a CA/],
  ['a token that is none', GOOD, { token: 'abc' }, /is no token/],
  ['a clock that is behind', GOOD, { date: NOW + 3_600_000 }, /clock of this machine is 60 minutes behind/],
  ['a clock that is ahead', GOOD, { date: NOW - 600_000 }, /clock of this machine is 10 minutes ahead/],
  ['a server that publishes nothing', undefined, { status: 404 }, /does not let machines join \(it answered 404\)/],
] as const)
  test(`discover refuses ${what}`, async () => {
    assert.match(
      await outcome(data, { ...options, pins: 'pins' in options ? [...options.pins] : [pinOf(certificate)] }),
      expected,
    )
  })

test('checkVersion lets a node be older than its server by three minor versions, and not newer', () => {
  const cases: readonly [server: string, own: string, refused?: RegExp][] = [
    ['v1.36.3+tutti.0.1.0', 'v1.36.3'],
    ['v1.39.0+tutti.1', 'v1.36.3'],
    ['v1.40.0+tutti.1', 'v1.36.3', /speaks Kubernetes 1\.40 and this program 1\.36/],
    ['v1.35.0+tutti.1', 'v1.36.3', /and not newer/],
    ['v1.36.3', 'v1.36.3', /the server is Kubernetes v1\.36\.3, not Tutti/],
  ]
  for (const [server, own, refused] of cases)
    if (refused) assert.throws(() => checkVersion(server, own), refused)
    else checkVersion(server, own)
})
