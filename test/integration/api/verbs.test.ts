import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configMap, startApi } from './start.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'

test('create stores an object, get and list show it', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  const created = await api.send('POST', MAPS, configMap('a', { x: '1' }))
  assert.equal(created.status, 201)
  const { metadata } = created.object
  assert.match(metadata.uid, /^[0-9a-f-]{36}$/)
  assert.equal(metadata.namespace, 'default')
  assert.equal(metadata.creationTimestamp, '2026-01-01T00:00:00Z')
  assert.equal(metadata.resourceVersion, '1')

  const got = await api.get(`${MAPS}/a`)
  assert.deepEqual(got.object, created.object)
  const list = await api.get('/api/v1/configmaps')
  assert.equal(list.object.kind, 'ConfigMapList')
  assert.deepEqual(list.object.items, [created.object])
  assert.equal(list.object.metadata.resourceVersion, '1')
})

test('create refuses a second object of the name', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  await api.send('POST', MAPS, configMap('a'))
  const again = await api.send('POST', MAPS, configMap('a'))
  assert.equal(again.status, 409)
  assert.equal(again.object.reason, 'AlreadyExists')
  assert.equal(again.object.message, 'configmaps "a" already exists')
})

test('create makes a name of generateName', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'a-' } }
  const { object } = await api.send('POST', MAPS, body)
  assert.match(object.metadata.name, /^a-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
})

test('update checks the resourceVersion, writes nothing when nothing changes, and deletes take effect', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  const first = (await api.send('POST', MAPS, configMap('a', { x: '1' }))).object
  const second = await api.send('PUT', `${MAPS}/a`, { ...structuredClone(first), data: { x: '2' } })
  assert.equal(second.status, 200)
  assert.equal(second.object.metadata.resourceVersion, '2')

  const stale = await api.send('PUT', `${MAPS}/a`, { ...structuredClone(first), data: { x: '3' } })
  assert.equal(stale.status, 409)
  assert.equal(
    stale.object.message,
    'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
  )
  const same = await api.send('PUT', `${MAPS}/a`, structuredClone(second.object))
  assert.equal(same.object.metadata.resourceVersion, '2')
  assert.equal(api.store.revision(), 2)
  const unconditional = await api.send('PUT', `${MAPS}/a`, configMap('a', { x: '4' }))
  assert.equal(unconditional.object.data.x, '4')
  assert.equal(unconditional.object.metadata.uid, first.metadata.uid)

  const gone = await api.send('DELETE', `${MAPS}/a`)
  assert.equal(gone.status, 200)
  assert.deepEqual(gone.object.details, { name: 'a', kind: 'configmaps', uid: first.metadata.uid })
  assert.equal((await api.get(`${MAPS}/a`)).object.message, 'configmaps "a" not found')
})

test('delete waits for finalizers, by propagation policy too', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  await api.send('POST', MAPS, configMap('a'))
  const marked = await api.send('DELETE', `${MAPS}/a`, { propagationPolicy: 'Foreground' })
  assert.equal(marked.status, 200)
  assert.deepEqual(marked.object.metadata.finalizers, ['foregroundDeletion'])
  assert.equal(marked.object.metadata.deletionTimestamp, '2026-01-01T00:00:00Z')
  const next = structuredClone(marked.object)
  delete next.metadata.finalizers
  assert.equal((await api.send('PUT', `${MAPS}/a`, next)).status, 200)
  assert.equal((await api.get(`${MAPS}/a`)).status, 404)
})

test('delete refuses when a precondition fails', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  await api.send('POST', MAPS, configMap('a'))
  const { status, object } = await api.send('DELETE', `${MAPS}/a`, { preconditions: { uid: 'other' } })
  assert.equal(status, 409)
  assert.match(object.message, /the UID in the precondition \(other\) does not match the UID in record/)
})

test('dryRun keeps nothing', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  const { status, object } = await api.send('POST', MAPS, configMap('a'), { dryRun: 'All' })
  assert.equal(status, 201)
  assert.equal(object.metadata.resourceVersion, undefined)
  assert.equal(api.store.revision(), 0)
})

test('watch sends what is there, then every change', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  await api.send('POST', MAPS, configMap('a'))
  const end = new AbortController()
  const { events } = await api.transport({
    method: 'GET',
    path: MAPS,
    query: { watch: 'true' },
    signal: end.signal,
  })
  const seen: string[] = []
  const reading = (async () => {
    for await (const batch of events!) {
      for (const { type, object } of batch)
        seen.push(`${type} ${object.metadata?.name} ${object.metadata?.resourceVersion}`)
    }
  })()
  await api.send('POST', MAPS, configMap('b'))
  await api.send('PUT', `${MAPS}/b`, configMap('b', { x: '1' }))
  await api.send('DELETE', `${MAPS}/a`)
  end.abort()
  await reading
  assert.deepEqual(seen, ['ADDED a 1', 'ADDED b 2', 'MODIFIED b 3', 'DELETED a 4'])
})

const misplaced: [string, string, number][] = [
  ['POST', '/api/v1/configmaps', 405],
  ['DELETE', '/api/v1/configmaps', 405],
  ['GET', '/api/v1/namespaces/default/nodes/x', 404],
  ['DELETE', '/api/v1/namespaces', 405],
  ['GET', '/api/v1/namespaces/default/configmaps/a/nope', 404],
]
for (const [method, path, status] of misplaced) {
  test(`${method} ${path} is answered with ${status}`, async t => {
    const api = await startApi()
    t.after(() => api.server.close())
    assert.equal((await api.send(method as 'GET', path, method === 'POST' ? configMap('a') : undefined)).status, status)
  })
}
