import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settled, virtualClock } from '../../../src/lib/virtual-clock.ts'
import { configMap, type Loose, startApi, type TestApi } from './start.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'

/** Reads a watch into a list of `TYPE name revision`. */
async function watched(api: TestApi, path: string, query: Record<string, string> = {}) {
  const end = new AbortController()
  const response = await api.transport({ method: 'GET', path, query: { watch: '1', ...query }, signal: end.signal })
  const seen: string[] = []
  const objects: Loose[] = []
  const done = (async () => {
    for await (const batch of response.events ?? []) {
      for (const { type, object } of batch) {
        objects.push(object)
        seen.push(`${type} ${object.metadata?.name ?? '-'} ${object.metadata?.resourceVersion ?? ''}`)
      }
    }
  })()
  return {
    seen,
    objects,
    done,
    stop: async () => {
      end.abort()
      await done
    },
  }
}

test('watch from a revision misses nothing and repeats nothing', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  for (const name of ['a', 'b', 'c']) await api.send('POST', MAPS, configMap(name))
  const watch = await watched(api, MAPS, { resourceVersion: '1' })
  await api.send('DELETE', `${MAPS}/a`)
  await settled()
  await watch.stop()
  assert.deepEqual(watch.seen, ['ADDED b 2', 'ADDED c 3', 'DELETED a 4'])
})

test('watch with a selector sees objects come into it and leave it', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  const watch = await watched(api, MAPS, { labelSelector: 'app=web' })
  const put = (app: string) => api.send('PUT', `${MAPS}/a`, configMap('a', {}, { labels: { app } }))
  await api.send('POST', MAPS, configMap('a', {}, { labels: { app: 'db' } }))
  await put('web')
  await api.send('PUT', `${MAPS}/a`, configMap('a', { x: '1' }, { labels: { app: 'web' } }))
  await put('db')
  await put('other')
  await settled()
  await watch.stop()
  assert.deepEqual(watch.seen, ['ADDED a 2', 'MODIFIED a 3', 'DELETED a 4'])
  assert.equal(watch.objects[2].metadata.labels.app, 'web')
})

test('watch finds pods of one node by index, also when they are bound later', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  const PODS = '/api/v1/namespaces/default/pods'
  const pod = (name: string, nodeName?: string) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { ...(nodeName && { nodeName }), containers: [{ name: 'c', image: 'i' }] },
  })
  const watch = await watched(api, '/api/v1/pods', { fieldSelector: 'spec.nodeName=n1' })
  await api.send('POST', PODS, pod('a', 'n1'))
  await api.send('POST', PODS, pod('b', 'n2'))
  const { status } = await api.send('DELETE', `${PODS}/a`, { gracePeriodSeconds: 0 })
  assert.equal(status, 200)
  await settled()
  await watch.stop()
  assert.deepEqual(watch.seen, ['ADDED a 1', 'DELETED a 3'])
})

test('watch of one object by name sees only that', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  const byPath = await watched(api, MAPS.replace('/v1/', '/v1/watch/').concat('/b'))
  const byField = await watched(api, MAPS, { fieldSelector: 'metadata.name=b' })
  for (const name of ['a', 'b']) await api.send('POST', MAPS, configMap(name))
  await settled()
  await byPath.stop()
  await byField.stop()
  assert.deepEqual(byPath.seen, ['ADDED b 2'])
  assert.deepEqual(byField.seen, ['ADDED b 2'])
})

test('watch from a revision that the ring has lost ends with 410', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  await api.send('POST', MAPS, configMap('a'))
  for (let i = 0; i < 10_010; i++) await api.send('PUT', `${MAPS}/a`, configMap('a', { i: String(i) }))
  const watch = await watched(api, MAPS, { resourceVersion: '1' })
  await watch.done
  assert.equal(watch.objects[0].code, 410)
  assert.match(watch.objects[0].message, /^too old resource version: 1 \(\d+\)$/)
})

test('watch with sendInitialEvents marks the end of what was there', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  await api.send('POST', MAPS, configMap('a'))
  const query = {
    sendInitialEvents: 'true',
    allowWatchBookmarks: 'true',
    resourceVersionMatch: 'NotOlderThan',
    resourceVersion: '',
  }
  const watch = await watched(api, MAPS, query)
  await settled()
  await watch.stop()
  assert.deepEqual(watch.seen, ['ADDED a 1', 'BOOKMARK - 1'])
  assert.equal(watch.objects[1].metadata.annotations['k8s.io/initial-events-end'], 'true')
})

test('watch ends when its time is over', async t => {
  const clock = virtualClock()
  const api = await startApi({}, clock)
  t.after(() => api.server.close())
  const watch = await watched(api, MAPS, { timeoutSeconds: '5' })
  await clock.advance(4999)
  await api.send('POST', MAPS, configMap('a'))
  await clock.advance(1)
  await watch.done
  assert.deepEqual(watch.seen, ['ADDED a 1'])
})

test('watch cuts off who does not read, and harms nobody else', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  await api.send('POST', MAPS, configMap('a'))
  const slow = await api.transport({ method: 'GET', path: MAPS, query: { watch: '1', resourceVersion: '1' } })
  const good = await watched(api, MAPS, { resourceVersion: '1' })
  for (let i = 0; i < 10_005; i++) await api.send('PUT', `${MAPS}/a`, configMap('a', { i: String(i) }))
  await good.stop()
  assert.equal(good.seen.length, 10_005)
  let count = 0
  for await (const batch of slow.events!) count += batch.length
  assert.equal(count, 10_000)
})

test('watch options that make no sense are refused', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  const { status, object } = await api.get(MAPS, { watch: '1', sendInitialEvents: 'true' })
  assert.equal(status, 422)
  assert.match(object.message, /sendInitialEvents requires setting resourceVersionMatch to NotOlderThan/)
})
