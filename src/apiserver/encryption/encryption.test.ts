import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import test from 'node:test'
import { silent } from '../../lib/log.ts'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { memoryStore } from '../../store/memory/memory.ts'
import { readEncryption } from './configuration.ts'
import { encryptedStore } from './encrypted-store.ts'

const key = (name: string, size = 32) => ({ name, secret: Buffer.alloc(size, name).toString('base64') })
const configuration = (...resources: object[]) =>
  readEncryption(
    JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'EncryptionConfiguration', resources }),
    { clock: virtualClock(), logger: silent, uuid: () => 'uid' },
  )
const secrets = (...providers: object[]) => configuration({ resources: ['secrets'], providers })
const SECRET = '/registry/core/secrets/default/a'
const MAP = '/registry/core/configmaps/default/a'

async function startWith(rules: Awaited<ReturnType<typeof secrets>>) {
  const below = memoryStore({ clock: virtualClock() })
  const store = encryptedStore(below, rules)
  const put = (at: string, text: string) => store.commit([{ type: 'put', key: at, value: Buffer.from(text) }])
  const read = async (at: string) => (await store.get(at))?.value.toString()
  const raw = async (at: string) => (await below.get(at))!.value.toString('latin1')
  return { below, store, put, read, raw }
}

for (const type of ['aesgcm', 'aescbc', 'secretbox']) {
  test(`encryptedStore keeps secrets by ${type}, in Kubernetes' form, and nothing else`, async () => {
    const { put, read, raw, store } = await startWith(
      await secrets({ [type]: { keys: [key('one')] } }, { identity: {} }),
    )
    await put(SECRET, '{"data":"hidden"}')
    await put(MAP, '{"data":"shown"}')
    assert.ok((await raw(SECRET)).startsWith(`k8s:enc:${type}:v1:one:`))
    assert.ok(!(await raw(SECRET)).includes('hidden'))
    assert.equal(await raw(MAP), '{"data":"shown"}')
    assert.equal(await read(SECRET), '{"data":"hidden"}')
    const { items } = await store.range({ prefix: '/registry/' })
    assert.deepEqual(
      items.map(item => item.value.toString()),
      ['{"data":"shown"}', '{"data":"hidden"}'],
    )
  })
}

test('encryptedStore shows watchers plain values', async () => {
  const { store, put } = await startWith(await secrets({ aesgcm: { keys: [key('one')] } }))
  const seen: (string | undefined)[] = []
  await store.watch({
    prefix: '/registry/',
    after: 0,
    onEvents: events => {
      for (const { value, previous } of events) seen.push(value?.toString(), previous?.value.toString())
    },
  })
  await put(SECRET, '1')
  await put(SECRET, '2')
  await store.commit([{ type: 'delete', key: SECRET }])
  assert.deepEqual(seen.slice(0, 4), ['1', undefined, '2', '1'])
  assert.equal(seen[4], undefined)
})

test('encryptedStore reads what was plain, and what older keys wrote, and says that they are stale', async () => {
  const { below, store, put, read, raw } = await startWith(await secrets({ identity: {} }))
  await put(SECRET, 'plain')
  assert.equal(store.isStale(SECRET), false)
  store.setRules(await secrets({ aesgcm: { keys: [key('one')] } }, { identity: {} }))
  assert.equal(await read(SECRET), 'plain')
  assert.equal(store.isStale(SECRET), true)
  await put(SECRET, 'sealed')
  await read(SECRET)
  assert.equal(store.isStale(SECRET), false)
  store.setRules(await secrets({ aesgcm: { keys: [key('two'), key('one')] } }))
  assert.equal(await read(SECRET), 'sealed')
  assert.equal(store.isStale(SECRET), true)
  await put(SECRET, 'again')
  assert.ok((await raw(SECRET)).startsWith('k8s:enc:aesgcm:v1:two:'))
  assert.equal(store.isStale(MAP), false)
  assert.ok(below)
})

test('encryptedStore refuses what it has no key for, and what was moved or changed', async () => {
  const { below, store, put, read } = await startWith(await secrets({ aesgcm: { keys: [key('one')] } }))
  await put(SECRET, 'x')
  const { value } = (await below.get(SECRET))!
  const other = '/registry/core/secrets/default/b'
  await below.commit([{ type: 'put', key: other, value }])
  await assert.rejects(read(other), /secrets\/default\/b cannot be decrypted with the key k8s:enc:aesgcm:v1:one:/)
  const changed = Buffer.from(value)
  changed[changed.length - 20]! ^= 1
  await below.commit([{ type: 'put', key: SECRET, value: changed }])
  await assert.rejects(read(SECRET), /cannot be decrypted/)
  store.setRules(await secrets({ identity: {} }))
  await assert.rejects(read(SECRET), /is encrypted as k8s:enc:aesgcm:v1:one:, and no provider/)
})

test('encryptedStore takes the nearest rule for a resource', async () => {
  const by = (name: string) => [{ aesgcm: { keys: [key(name)] } }]
  const rules = await configuration(
    { resources: ['*.*'], providers: by('all') },
    { resources: ['*.apps'], providers: by('apps') },
    { resources: ['*.'], providers: by('core') },
    { resources: ['deployments.apps', 'secrets'], providers: by('own') },
  )
  const { put, raw } = await startWith(rules)
  const cases = {
    'core/secrets': 'own',
    'core/pods': 'core',
    'apps/deployments': 'own',
    'apps/replicasets': 'apps',
    'batch/jobs': 'all',
  }
  for (const [resource, name] of Object.entries(cases)) {
    await put(`/registry/${resource}/default/x`, 'x')
    assert.ok((await raw(`/registry/${resource}/default/x`)).startsWith(`k8s:enc:aesgcm:v1:${name}:`), resource)
  }
})

const kms = (fields: object, resource = 'a') => [{ resources: [resource], providers: [{ kms: fields }] }]

const wrong: readonly [name: string, resources: object[], message: RegExp][] = [
  ['no entries', [], /^Error: resources: Required value/],
  ['no resources', [{ providers: [{ identity: {} }] }], /resources\[0\]\.resources: Required value/],
  ['no providers', [{ resources: ['secrets'] }], /resources\[0\]\.providers: Required value/],
  ['an empty provider', [{ resources: ['secrets'], providers: [{}] }], /providers\[0\]: Required value/],
  ['two in one', [{ resources: ['secrets'], providers: [{ identity: {}, aescbc: {} }] }], /more than one provider/],
  [
    'a key without a name',
    [{ resources: ['a'], providers: [{ aesgcm: { keys: [{ secret: 'AA==' }] } }] }],
    /name: Required/,
  ],
  [
    'a short key',
    [{ resources: ['a'], providers: [{ aesgcm: { keys: [key('k', 8)] } }] }],
    /"REDACTED".*got 8, expected one of \[16 24 32\]/,
  ],
  [
    'no base64',
    [{ resources: ['a'], providers: [{ aesgcm: { keys: [{ name: 'k', secret: '!' }] } }] }],
    /must be base64 encoded/,
  ],
  [
    'two of one name',
    [{ resources: ['a'], providers: [{ aesgcm: { keys: [key('k'), key('k')] } }] }],
    /Duplicate value: "k"/,
  ],
  ['a resource twice', [{ resources: ['a', 'a'], providers: [{ identity: {} }] }], /resources\[1\]: Duplicate value/],
  ['an odd resource', [{ resources: ['*'], providers: [{ identity: {} }] }], /Invalid value: "\*": use <resource>/],
  [
    'a secretbox key of another length',
    [{ resources: ['a'], providers: [{ secretbox: { keys: [key('k', 16)] } }] }],
    /got 16, expected one of \[32\]/,
  ],
  ['KMS v1', kms({ name: 'k', endpoint: 'unix:///s' }), /kms\.apiVersion: Invalid value: "v1": KMSv1 is deprecated/],
  ['a KMS without a name', kms({ apiVersion: 'v2', endpoint: 'unix:///s' }), /kms\.name: Required value/],
  ['a KMS with a colon', kms({ apiVersion: 'v2', name: 'a:b', endpoint: 'unix:///s' }), /must not contain ':'/],
  [
    'a KMS without an endpoint',
    kms({ apiVersion: 'v2', name: 'a' }),
    /kms\.endpoint: .*endpoint is mandatory in a kms/,
  ],
  [
    'a KMS over the network',
    kms({ apiVersion: 'v2', name: 'a', endpoint: 'http://x' }),
    /unsupported scheme "http" for KMS provider, only unix is supported/,
  ],
  [
    'a KMS that has no time',
    kms({ apiVersion: 'v2', name: 'a', endpoint: 'unix:///s', timeout: '0s' }),
    /timeout should be a positive value/,
  ],
  [
    'two KMS of one name',
    [...kms({ apiVersion: 'v2', name: 'a', endpoint: 'unix:///s' }), ...kms({ apiVersion: 'v2', name: 'a' }, 'b')],
    /resources\[1\]\.providers\[0\]\.kms\.name: .*duplicate KMS provider name a, names must be unique/,
  ],
]
for (const [name, resources, message] of wrong) {
  test(`readEncryption refuses ${name}`, () => assert.rejects(configuration(...resources), message))
}

test('sealing takes a time that is not felt', async () => {
  const [rule] = await secrets({ aesgcm: { keys: [{ name: 'k', secret: randomBytes(32).toString('base64') }] } })
  const provider = rule!.providers[0]!
  const value = randomBytes(2000)
  for (let at = 0; at < 1000; at++)
    assert.equal(provider.open(provider.seal(value, SECRET).subarray(provider.prefix.length), SECRET).length, 2000)
})
