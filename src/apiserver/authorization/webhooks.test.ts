import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { realClock } from '../../lib/clock.ts'
import { webhookTokens } from '../authentication/webhook.ts'
import { openWebhook } from '../webhooks/connection.ts'
import { type Answerer, type Loose, startWebhook } from '../webhooks/webhook-server.fixture.ts'
import { createAuthorization } from './all.ts'
import type { Attributes, Decision } from './authorizer.ts'
import { checkConfiguration, readAuthorizationConfiguration } from './configuration.ts'

const folder = mkdtempSync(join(tmpdir(), 'authorization-'))
const open: { close(): Promise<void> }[] = []
after(async () => {
  for (const server of open) await server.close()
  rmSync(folder, { recursive: true })
})

/** Starts a server and writes the kubeconfig that leads to it. */
async function webhook(answer: Answerer) {
  const server = await startWebhook(answer)
  open.push(server)
  const file = join(folder, `${server.port}.kubeconfig`)
  const config = {
    clusters: [
      {
        name: 'c',
        cluster: { server: `https://127.0.0.1:${server.port}/ask`, 'certificate-authority-data': server.caBundle },
      },
    ],
    users: [{ name: 'u', user: { token: 'secret' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  }
  writeFileSync(file, JSON.stringify(config))
  return { server, file }
}

const base: Attributes = {
  user: { name: 'ann', uid: '7', groups: ['dev'], extra: { scopes: ['x'] } },
  verb: 'list',
  isResource: true,
  group: 'apps',
  version: 'v1',
  namespace: 'shop',
  resource: 'deployments',
  subresource: '',
  name: '',
  path: '',
}

const settings = {
  timeout: '2s',
  authorizedTTL: '5m',
  unauthorizedTTL: '30s',
  subjectAccessReviewVersion: 'v1',
  failurePolicy: 'NoOpinion',
}

const authorizer = async (file: string, more: object = {}, clock = realClock) => {
  const { authorize } = await createAuthorization({
    clock,
    node: () => ({ allowed: false }),
    rbac: () => ({ allowed: false, reason: 'RBAC: no' }),
    configuration: {
      authorizers: [
        {
          type: 'Webhook',
          name: 'hook',
          webhook: { ...settings, connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: file }, ...more },
        },
        { type: 'RBAC', name: 'rbac' },
      ],
    },
  })
  return authorize
}

const answered = (status: object) => (body: Loose) => ({ ...body, status })

test('a webhook authorizer is sent the whole question, and its answers are kept', async () => {
  const { server, file } = await webhook((body: Loose, request) => {
    assert.equal(request.headers.authorization, 'Bearer secret')
    const allowed = body.spec.resourceAttributes?.verb === 'list'
    return { ...body, status: { allowed, reason: 'because', ...(!allowed && { denied: true }) } }
  })
  const authorize = await authorizer(file)
  const fieldSelector = { requirements: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] }
  const asked = { ...base, fieldSelector }
  assert.deepEqual(await authorize(asked), { allowed: true, reason: 'because' })
  assert.deepEqual(await authorize({ ...asked }), { allowed: true, reason: 'because' })
  assert.deepEqual(await authorize({ ...base, verb: 'delete' }), { allowed: false, denied: true, reason: 'because' })
  assert.deepEqual(await authorize({ ...base, isResource: false, path: '/metrics', verb: 'get' }), {
    allowed: false,
    denied: true,
    reason: 'because',
  })
  assert.equal(server.received.length, 3)
  assert.deepEqual(server.received[0].spec, {
    resourceAttributes: {
      namespace: 'shop',
      verb: 'list',
      group: 'apps',
      version: 'v1',
      resource: 'deployments',
      fieldSelector,
    },
    user: 'ann',
    uid: '7',
    groups: ['dev'],
    extra: { scopes: ['x'] },
  })
  assert.deepEqual(server.received[2].spec.nonResourceAttributes, { path: '/metrics', verb: 'get' })
  const masters = { ...base, user: { name: 'root', groups: ['system:masters'] } }
  assert.deepEqual(await authorize(masters), { allowed: true })
  assert.equal(server.received.length, 3, 'privileged users are not asked about')
})

test('a webhook authorizer that has no opinion, fails or lies leaves it to the next, or denies', async () => {
  const cases: [Answerer, object, Partial<Decision>][] = [
    [answered({ allowed: false, reason: 'hm' }), {}, { allowed: false, reason: 'hm, RBAC: no' }],
    [answered({ allowed: true, denied: true }), {}, { denied: true }],
    [() => ({ kind: 'Nonsense' }), {}, { allowed: false, reason: 'RBAC: no' }],
    [() => ({ kind: 'Nonsense' }), { failurePolicy: 'Deny' }, { allowed: false, denied: true }],
    [answered({ allowed: 'yes' }), {}, { allowed: false }],
  ]
  for (const [answer, more, wanted] of cases) {
    const { file } = await webhook(answer)
    const decision = await (await authorizer(file, more))(base)
    for (const [field, value] of Object.entries(wanted)) assert.deepEqual(decision[field as keyof Decision], value)
  }
  const { file, server } = await webhook(answered({ allowed: true }))
  await server.close()
  const gone = await (await authorizer(file))(base)
  assert.equal(gone.allowed, false)
  assert.match(gone.error ?? '', /connection refused/)
})

test('a webhook is asked only what its conditions match', async () => {
  const { file, server } = await webhook(answered({ allowed: true }))
  const conditions = (...expressions: string[]) => ({
    matchConditionSubjectAccessReviewVersion: 'v1',
    matchConditions: expressions.map(expression => ({ expression })),
  })
  const ours = conditions("has(request.resourceAttributes) && request.resourceAttributes.namespace == 'shop'")
  const authorize = await authorizer(file, ours)
  assert.equal((await authorize(base)).allowed, true)
  assert.equal((await authorize({ ...base, namespace: 'other' })).allowed, false)
  assert.equal((await authorize({ ...base, isResource: false, path: '/x' })).allowed, false)
  assert.equal(server.received.length, 1)
  const failing = "request.extra['none'][0] == 'x'"
  const lax = await (await authorizer(file, conditions(failing)))(base)
  assert.match(lax.error ?? '', /cel evaluation error/)
  assert.equal(lax.denied, undefined)
  const strict = await authorizer(file, { ...conditions(failing), failurePolicy: 'Deny' })
  assert.equal((await strict(base)).denied, true)
  const skipped = await authorizer(file, { ...conditions(failing, 'false'), failurePolicy: 'Deny' })
  assert.deepEqual(await skipped(base), { allowed: false, reason: 'RBAC: no' })
  await assert.rejects(authorizer(file, conditions('request.nothing')), /undefined field 'nothing'/)
})

test('checkConfiguration and readAuthorizationConfiguration refuse what Kubernetes refuses', async () => {
  const hook = { ...settings, connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: '/x' } }
  const one = (webhook: object) => [{ type: 'Webhook', name: 'a', webhook: { ...hook, ...webhook } }]
  const cases: [Loose, string, RegExp][] = [
    [[], 'authorizers', /at least one authorization mode/],
    [[{ type: 'X', name: 'a' }], 'authorizers[0].type', /supported values: "AlwaysAllow", "AlwaysDeny", "Node"/],
    [[{ type: 'RBAC' }], 'authorizers[0].name', /Required/],
    [
      [
        { type: 'RBAC', name: 'a' },
        { type: 'RBAC', name: 'b' },
      ],
      'authorizers[1].type',
      /Duplicate/,
    ],
    [[{ type: 'RBAC', name: 'A' }], 'authorizers[0].name', /authorizer name is invalid/],
    [[{ type: 'RBAC', name: 'a', webhook: hook }], 'authorizers[0].webhook', /only be specified when type=Webhook/],
    [[{ type: 'Webhook', name: 'a' }], 'authorizers[0].webhook', /required when type=Webhook/],
    [one({ timeout: '31s' }), 'authorizers[0].timeout', /must be > 0s and <= 30s/],
    [one({ timeout: '' }), 'authorizers[0].timeout', /Required/],
    [one({ authorizedTTL: '-1s' }), 'authorizers[0].authorizedTTL', /must be > 0s/],
    [one({ failurePolicy: 'Allow' }), 'authorizers[0].failurePolicy', /supported values: "NoOpinion", "Deny"/],
    [one({ subjectAccessReviewVersion: 'v2' }), 'authorizers[0].subjectAccessReviewVersion', /"v1", "v1beta1"/],
    [
      one({ connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: 'x' } }),
      'authorizers[0].connectionInfo.kubeConfigFile',
      /absolute path/,
    ],
    [
      one({ matchConditions: [{ expression: 'true' }] }),
      'authorizers[0].matchConditionSubjectAccessReviewVersion',
      /required if match conditions/,
    ],
  ]
  for (const [authorizers, field, words] of cases) {
    const found = checkConfiguration({ authorizers }).find(error => error.field === field)
    assert.match(found?.message ?? `nothing at ${field}`, words)
  }
  assert.deepEqual(checkConfiguration({ authorizers: one({}) }), [])
  const text =
    'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthorizationConfiguration\nauthorizers: [{ type: RBAC, nam: a }]'
  await assert.rejects(readAuthorizationConfiguration(text), /unknown field "authorizers\[0\].nam"/)
})

test('webhookTokens asks once about a token, for the audiences wanted, and believes only whole answers', async () => {
  const people: Record<string, object> = {
    ann: { authenticated: true, user: { username: 'ann', uid: '7', groups: ['dev'], extra: { x: ['y'] } } },
    vault: { authenticated: true, user: { username: 'ann' }, audiences: ['vault'] },
    odd: { authenticated: true, user: { groups: 'x' } },
    bad: { authenticated: false, error: 'too old' },
  }
  const { server, file } = await webhook((body: Loose) => ({ ...body, status: people[body.spec.token] ?? {} }))
  const endpoint = await openWebhook(file, realClock)
  const authenticate = webhookTokens({ endpoint, clock: realClock, audiences: ['api'] })
  const ann = await authenticate('ann', ['api'])
  assert.deepEqual(ann, {
    user: { name: 'ann', uid: '7', groups: ['dev'], extra: { x: ['y'] } },
    audiences: ['api'],
  })
  assert.equal(await authenticate('ann', ['api']), ann)
  assert.equal(await authenticate('nobody', ['api']), undefined)
  assert.equal(await authenticate('nobody', ['api']), undefined)
  assert.equal(server.received.length, 2)
  assert.deepEqual(server.received[0].spec, { token: 'ann', audiences: ['api'] })
  assert.equal(await authenticate('vault', ['api']), undefined)
  assert.deepEqual((await authenticate('vault', ['vault', 'x']))?.audiences, ['vault'])
  await assert.rejects(async () => authenticate('odd', ['api']), /names no user/)
  await assert.rejects(async () => authenticate('bad', ['api']), /too old/)
})

test('openWebhook names the file that leads nowhere', async () => {
  await assert.rejects(openWebhook(join(folder, 'none'), realClock), /there is no file/)
  const file = join(folder, 'empty')
  writeFileSync(file, '{}')
  await assert.rejects(openWebhook(file, realClock), /names no cluster/)
})

test('createAuthorization follows its configuration; a form that is wrong changes nothing', async () => {
  let use: ((next: object) => Promise<void>) | undefined
  let ended = false
  const { authorize, close } = await createAuthorization({
    clock: realClock,
    node: () => ({ allowed: false }),
    rbac: () => ({ allowed: false, reason: 'RBAC: no' }),
    configuration: { authorizers: [{ type: 'RBAC', name: 'rbac' }] },
    follow(next) {
      use = next
      return () => {
        ended = true
      }
    },
  })
  assert.deepEqual(await authorize(base), { allowed: false, reason: 'RBAC: no' })
  await use!({ authorizers: [{ type: 'AlwaysAllow', name: 'all' }] })
  assert.deepEqual(await authorize(base), { allowed: true })
  await assert.rejects(use!({ authorizers: [{ type: 'Nobody', name: 'x' }] }), /authorization configuration is wrong/)
  assert.deepEqual(await authorize(base), { allowed: true })
  close()
  assert.equal(ended, true)
})
