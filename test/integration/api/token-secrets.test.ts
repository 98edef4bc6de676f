import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Cluster, startCluster } from '../../../src/cmd/testing.ts'
import type { Loose } from './start.ts'

const tokenSecret = (name: string, account: string): Loose => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, annotations: { 'kubernetes.io/service-account.name': account } },
  type: 'kubernetes.io/service-account-token',
})
const account = (name: string): Loose => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } })
const ref = (name: string) => ({ namespace: 'default', name })

/** What a TokenReview says of a token. */
async function review({ transport }: Cluster, token: string, audiences?: string[]): Promise<Loose> {
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token, ...(audiences && { audiences }) },
  }
  const path = '/apis/authentication.k8s.io/v1/tokenreviews'
  return ((await transport({ method: 'POST', path, body })).object as Loose).status
}

async function tokenOf(cluster: Cluster, name: string): Promise<string> {
  let secret: Loose
  await cluster.until(async () => {
    secret = await cluster.objects('Secret').find(ref(name))
    return Boolean(secret?.data?.token)
  })
  return Buffer.from(secret.data.token, 'base64').toString()
}

test('a secret for a service account’s token is filled, and the token is the account’s', async () => {
  await using cluster = await startCluster({ nodes: 0 })
  const made: Loose = await cluster.create(account('web'))
  await cluster.create(tokenSecret('web-token', 'web'))
  const token = await tokenOf(cluster, 'web-token')
  const { data, metadata } = (await cluster.objects('Secret').get(ref('web-token'))) as Loose
  assert.equal(Buffer.from(data.namespace, 'base64').toString(), 'default')
  assert.equal(metadata.annotations['kubernetes.io/service-account.uid'], made.metadata.uid)
  const status = await review(cluster, token)
  assert.equal(status.authenticated, true, JSON.stringify(status))
  assert.equal(status.user.username, 'system:serviceaccount:default:web')
  assert.deepEqual(status.user.groups, [
    'system:serviceaccounts',
    'system:serviceaccounts:default',
    'system:authenticated',
  ])
  await cluster.until(async () => {
    const labels = ((await cluster.objects('Secret').get(ref('web-token'))) as Loose).metadata.labels
    return labels?.['kubernetes.io/legacy-token-last-used'] === new Date().toISOString().slice(0, 10)
  })
  assert.match((await review(cluster, token, ['vault'])).error, /is invalid for the target audiences \["vault"\]/)
})

test('such a token ends with its secret, with its account, and when it is marked', async () => {
  await using cluster = await startCluster({ nodes: 0 })
  await cluster.create(account('web'))
  for (const name of ['a', 'b', 'c']) await cluster.create(tokenSecret(name, 'web'))
  const [a, b, c] = [await tokenOf(cluster, 'a'), await tokenOf(cluster, 'b'), await tokenOf(cluster, 'c')]
  await cluster.objects('Secret').delete(ref('a'))
  assert.match((await review(cluster, a!)).error, /Token has been invalidated/)
  const patch = { metadata: { labels: { 'kubernetes.io/legacy-token-invalid-since': '2026-01-01' } } }
  await cluster.objects('Secret').patch(ref('b'), patch, { type: 'merge' })
  assert.match((await review(cluster, b!)).error, /has been marked invalid/)
  await cluster.objects('Secret').patch(ref('c'), { data: { token: 'eA==' } }, { type: 'merge' })
  assert.match((await review(cluster, c!)).error, /does not match server's copy/)
  await cluster.objects('ServiceAccount').delete(ref('web'))
  for (const name of ['b', 'c']) await cluster.until(async () => !(await cluster.objects('Secret').find(ref(name))))
})

test('a secret for an account that is not there goes', async () => {
  await using cluster = await startCluster({ nodes: 0 })
  await cluster.create(tokenSecret('lost', 'nobody'))
  await cluster.until(async () => !(await cluster.objects('Secret').find(ref('lost'))))
})

test('a bootstrap token is good until its time is over, and is then deleted', async () => {
  await using cluster = await startCluster({ nodes: 0, clock: 'virtual' })
  const encode = (text: string) => Buffer.from(text).toString('base64')
  const end = new Date(cluster.clock.now() + 60_000).toISOString().replace(/\.\d+/, '')
  const values = {
    'token-id': 'abcdef',
    'token-secret': '0123456789abcdef',
    'usage-bootstrap-authentication': 'true',
    'auth-extra-groups': 'system:bootstrappers:tutti:default-node-token',
    expiration: end,
  }
  const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, encode(value)]))
  const metadata = { name: 'bootstrap-token-abcdef', namespace: 'kube-system' }
  await cluster.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata,
    type: 'bootstrap.kubernetes.io/token',
    data,
  } as Loose)
  const good = await review(cluster, 'abcdef.0123456789abcdef')
  assert.equal(good.user.username, 'system:bootstrap:abcdef')
  assert.deepEqual(good.user.groups, [
    'system:bootstrappers',
    'system:bootstrappers:tutti:default-node-token',
    'system:authenticated',
  ])
  const bad = ['abcdef.0123456789abcdee', 'abcdeg.0123456789abcdef', 'abcdef.0123456789ABCDEF']
  for (const token of bad) assert.match((await review(cluster, token)).error, /invalid bearer token/)
  const elsewhere = await review(cluster, 'abcdef.0123456789abcdef', ['vault'])
  assert.match(elsewhere.error, /invalid bearer token/)
  await cluster.advance(61_000)
  assert.equal(await cluster.objects('Secret').find(metadata), undefined)
})
