import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { eventually } from '../../../lib/eventually.fixture.ts'
import { silent } from '../../../lib/log.ts'
import { type VirtualClock, virtualClock } from '../../../lib/virtual-clock.ts'
import { memoryStore } from '../../../store/memory/memory.ts'
import type { Store, StoreEvent } from '../../../store/store.ts'
import { readEncryption } from '../configuration.ts'
import { encryptedStore } from '../encrypted-store.ts'
import { type FakePlugin, fakePlugin } from './plugin.fixture.ts'

const A = '/registry/core/secrets/default/a'
const B = '/registry/core/secrets/default/b'

async function startPlugin(t: TestContext) {
  const plugin = await fakePlugin()
  t.after(() => plugin.stop())
  return plugin
}

/** A store that is encrypted by the plugin, as a server has it that has just started. */
async function openStore(t: TestContext, plugin: FakePlugin, clock: VirtualClock, below: Store) {
  const kms = { apiVersion: 'v2', name: 'vault', endpoint: plugin.endpoint }
  const text = JSON.stringify({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'EncryptionConfiguration',
    resources: [{ resources: ['secrets'], providers: [{ kms }, { identity: {} }] }],
  })
  const rules = await readEncryption(text, { clock, logger: silent, uuid: () => 'uid' })
  const provider = rules[0]!.providers[0]!
  t.after(() => provider.close!())
  await provider.start!()
  const store = encryptedStore(below, rules)
  return {
    provider,
    store,
    put: (key: string, text: string) => store.commit([{ type: 'put', key, value: Buffer.from(text) }]),
    read: async (key: string) => (await store.get(key))?.value.toString(),
  }
}

function begin() {
  const clock = virtualClock()
  return { clock, below: memoryStore({ clock }) }
}

test('kmsProvider seals by a seed that the plugin has encrypted once, and asks for it once after a restart', async t => {
  const plugin = await startPlugin(t)
  const { clock, below } = begin()
  const first = await openStore(t, plugin, clock, below)
  await first.put(A, 'one')
  await first.put(B, 'two')
  const raw = (await below.get(A))!.value.toString('latin1')
  assert.ok(raw.startsWith('k8s:enc:kms:v2:vault:'), raw.slice(0, 40))
  assert.ok(raw.includes('key-1') && raw.includes('version.plugin.test') && !raw.includes('one'))
  assert.equal(await first.read(A), 'one')
  assert.equal(first.store.isStale(A), false)
  assert.deepEqual(plugin.calls, { Status: 1, Encrypt: 1, Decrypt: 0 })

  const again = await openStore(t, plugin, clock, below)
  const { items } = await again.store.range({ prefix: '/registry/' })
  assert.deepEqual(
    items.map(each => each.value.toString()),
    ['one', 'two'],
  )
  assert.equal(await again.read(B), 'two')
  assert.deepEqual(plugin.calls, { Status: 2, Encrypt: 2, Decrypt: 1 })
})

test('kmsProvider follows the key of the plugin: what an older one wrote is read, and stale', async t => {
  const plugin = await startPlugin(t)
  const { clock, below } = begin()
  const { provider, store, put, read } = await openStore(t, plugin, clock, below)
  await put(A, 'one')
  assert.equal(await read(A), 'one')
  plugin.keyId = 'key-2'
  await clock.advance(60_000)
  await eventually(() => provider.current!().endsWith(':key-2'))
  assert.equal(store.isStale(A), true)
  assert.equal(await read(A), 'one')
  await put(A, 'two')
  assert.equal(await read(A), 'two')
  assert.equal(store.isStale(A), false)
})

test('kmsProvider goes on without its plugin for three minutes, then reads only', async t => {
  const plugin = await startPlugin(t)
  const { clock, below } = begin()
  const { provider, put, read } = await openStore(t, plugin, clock, below)
  plugin.healthz = 'on fire'
  await clock.advance(60_000)
  await eventually(() => provider.problem!() !== undefined)
  assert.equal(
    provider.problem!(),
    'kmsv2 Provider vault is not healthy, error: got unexpected healthz status: on fire',
  )
  await put(A, 'one')
  await clock.advance(121_000)
  await assert.rejects(put(B, 'two'), /kmsv2 Provider vault: the key for writing has expired: .*on fire/)
  assert.equal(await read(A), 'one')
  plugin.healthz = 'ok'
  // A look that is under way may still be told the old: the next one comes 10 s later.
  await eventually(async () => {
    if (provider.problem!()) await clock.advance(10_000)
    return !provider.problem!()
  })
  await put(B, 'two')
  assert.equal(await read(B), 'two')
})

test('encryptedStore shows a watcher in order what another server sealed by another seed', async t => {
  const plugin = await startPlugin(t)
  const { clock, below } = begin()
  const ours = await openStore(t, plugin, clock, below)
  const theirs = await openStore(t, plugin, clock, below)
  const seen: string[] = []
  const onEvents = (events: readonly StoreEvent[]) => {
    for (const { value, previous } of events) seen.push(`${previous?.value ?? ''}>${value ?? ''}`)
  }
  await ours.store.watch({ prefix: '/registry/', after: 0, onEvents })
  await theirs.put(A, '1')
  await theirs.put(A, '2')
  await ours.put(B, '3')
  await eventually(() => seen.length === 3)
  assert.deepEqual(seen, ['>1', '1>2', '>3'])
})

test('kmsProvider says why its plugin cannot be used', async t => {
  const plugin = await startPlugin(t)
  const { clock, below } = begin()
  const cases: [Partial<FakePlugin>, RegExp][] = [
    [{ version: 'v1beta1' }, /vault cannot be used: expected KMSv2 API version v2, got v1beta1/],
    [{ keyId: '' }, /vault cannot be used: keyID is empty/],
    [{ keyId: 'k'.repeat(1025) }, /vault cannot be used: keyID is 1025 bytes, which exceeds the max size of 1024/],
  ]
  for (const [change, message] of cases) {
    const { version, keyId } = plugin
    Object.assign(plugin, change)
    await assert.rejects(openStore(t, plugin, clock, below), message)
    Object.assign(plugin, { version, keyId })
  }
  const nowhere = { ...plugin, endpoint: 'unix:/nowhere/kms.sock' }
  await assert.rejects(
    openStore(t, nowhere, clock, below),
    /vault cannot be used: rpc error: code = Unavailable desc = .*nowhere/,
  )
})

test('kmsProvider does not wait for a plugin that says nothing', async t => {
  const plugin = await startPlugin(t)
  plugin.healthz = ''
  const { clock, below } = begin()
  const opening = openStore(t, plugin, clock, below)
  const failed = assert.rejects(opening, /code = DeadlineExceeded desc = no answer within 3000 ms/)
  await eventually(() => plugin.calls.Status > 0)
  await clock.advance(3000)
  await failed
})

test('what a KMS plugin encrypted is refused in another place, and when it was changed', async t => {
  const plugin = await startPlugin(t)
  const { clock, below } = begin()
  const { put, read } = await openStore(t, plugin, clock, below)
  await put(A, 'one')
  const { value } = (await below.get(A))!
  await below.commit([{ type: 'put', key: B, value }])
  await assert.rejects(read(B), /secrets\/default\/b cannot be decrypted/)
  const changed = Buffer.from(value)
  changed[changed.indexOf('key-1') - 4]! ^= 1
  await below.commit([{ type: 'put', key: A, value: changed }])
  await assert.rejects(read(A), /secrets\/default\/a cannot be decrypted/)
})
