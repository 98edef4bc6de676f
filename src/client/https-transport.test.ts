import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { ConfigMap } from '../api/kinds/core/config-map.ts'
import { StatusError } from '../api/machinery/status-error.ts'
import type { Listening } from '../apiserver/server.ts'
import { type Cluster, startCluster } from '../cmd/testing.ts'
import { realClock } from '../lib/clock.ts'
import { silent } from '../lib/log.ts'
import type { KeyPair } from '../lib/pki/certificate.ts'
import { makeTrust } from '../lib/pki/trust.fixture.ts'
import { type Client, createClient } from './client.ts'
import { createHttpsTransport, type HttpsTransport } from './https-transport.ts'
import { createInformer } from './informer.ts'
import type { Resource } from './resource.ts'

const MAPS: Resource<ConfigMap> = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
  apiVersion: 'v1',
  key: 'v1/configmaps',
}

let cluster: Cluster
let listening: Listening
let authority: KeyPair
let serving: KeyPair
let admin: KeyPair
let https: HttpsTransport
let client: Client

const listen = (port: number) =>
  cluster.server.listen({
    hosts: ['127.0.0.1'],
    port,
    tls: { key: serving.key, cert: serving.certificate, clientCa: authority.certificate },
  })

before(async () => {
  const trust = await makeTrust()
  cluster = await startCluster({ nodes: 0, controllers: false })
  authority = trust.authority
  serving = trust.server
  admin = await trust.client('admin', 'system:masters')
  listening = await listen(0)
  https = createHttpsTransport({
    server: `https://127.0.0.1:${listening.port}`,
    ca: authority.certificate,
    cert: admin.certificate,
    key: admin.key,
    clock: realClock,
    logger: silent,
  })
  client = createClient(https.transport)
})

after(async () => {
  https.close()
  await cluster.stop()
})

const map = (name: string): ConfigMap => ({ metadata: { namespace: 'default', name }, data: { text: 'ä"\n' } })

test('createHttpsTransport carries reads and writes, and errors as Status', async () => {
  const maps = client.kind(MAPS)
  const made = await maps.create(map('a'))
  assert.equal(made.data?.text, 'ä"\n')
  assert.equal(
    (await maps.patch({ namespace: 'default', name: 'a' }, { data: { more: '1' } }, { type: 'merge' })).data?.more,
    '1',
  )
  assert.deepEqual(
    (await maps.listAll({ namespace: 'default' })).map(each => each.metadata?.name),
    ['a'],
  )
  await assert.rejects(maps.get({ namespace: 'default', name: 'none' }), error => {
    return error instanceof StatusError && error.message === 'configmaps "none" not found' && error.code === 404
  })
  assert.equal(await maps.find({ namespace: 'default', name: 'none' }), undefined)
})

test('createHttpsTransport carries a watch, and ends it when the signal aborts', async () => {
  const scope = new AbortController()
  const events = await client.kind(MAPS).watch({ namespace: 'default', signal: scope.signal })
  const seen: string[] = []
  const reading = (async () => {
    for await (const batch of events) {
      for (const { type, object } of batch) {
        seen.push(`${type} ${object.metadata?.name}`)
        if (object.metadata?.name === 'b') scope.abort()
      }
    }
  })()
  await client.kind(MAPS).create(map('b'))
  await reading
  assert.deepEqual(seen, ['ADDED a', 'ADDED b'])
})

test('createHttpsTransport connects again after the server was away, and informers go on where they were', async () => {
  const scope = new AbortController()
  const informer = createInformer(
    client,
    MAPS,
    { namespace: 'default' },
    { clock: realClock, logger: silent },
    scope.signal,
  )
  await informer.synced()
  await listening.close(0)
  await assert.rejects(client.kind(MAPS).list(), /no answer from https:\/\/127\.0\.0\.1/)
  const inside = cluster.client.kind(MAPS)
  await inside.create(map('c'))
  listening = await listen(listening.port)
  await informer.reached(Number((await inside.get({ namespace: 'default', name: 'c' })).metadata?.resourceVersion))
  assert.ok(informer.get('default/c'))
  scope.abort()
})

test('createHttpsTransport refuses a server that the authority did not sign', async () => {
  const other = createHttpsTransport({
    server: `https://127.0.0.1:${listening.port}`,
    clock: realClock,
    logger: silent,
  })
  await assert.rejects(createClient(other.transport).kind(MAPS).list(), /no answer from .*certificate/)
  other.close()
})
