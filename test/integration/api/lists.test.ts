import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configMap, type Loose, startApi, type TestApi } from './start.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const ALL = '/api/v1/configmaps'

async function filled(names: readonly string[], namespace = 'default'): Promise<TestApi> {
  const api = await startApi()
  for (const name of names) await api.send('POST', `/api/v1/namespaces/${namespace}/configmaps`, configMap(name))
  return api
}

const namesOf = (list: Loose): string[] => list.items.map((item: Loose) => item.metadata.name)

test('list goes on where its token says, at the revision of its first part', async t => {
  const api = await filled(['a', 'b', 'c', 'd', 'e'])
  t.after(() => api.server.close())
  const first = (await api.get(ALL, { limit: '2' })).object
  assert.deepEqual(namesOf(first), ['a', 'b'])
  assert.equal(first.metadata.remainingItemCount, 3)

  await api.send('DELETE', `${MAPS}/c`)
  await api.send('POST', MAPS, configMap('bb'))
  await api.send('PUT', `${MAPS}/d`, configMap('d', { changed: 'yes' }))
  const second = (await api.get(ALL, { limit: '2', continue: first.metadata.continue })).object
  assert.deepEqual(namesOf(second), ['c', 'd'])
  assert.equal(second.items[1].data?.changed, undefined)
  assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion)
  const third = (await api.get(ALL, { limit: '2', continue: second.metadata.continue })).object
  assert.deepEqual(namesOf(third), ['e'])
  assert.equal(third.metadata.continue, undefined)
  assert.equal(third.metadata.remainingItemCount, undefined)
})

test('list answers 410 for a revision that was compacted, and offers to go on from now', async t => {
  const api = await filled(['a', 'b', 'c'])
  t.after(() => api.server.close())
  const first = (await api.get(ALL, { limit: '1' })).object
  await api.send('PUT', `${MAPS}/a`, configMap('a', { changed: 'yes' }))
  assert.equal((await api.get(ALL, { limit: '1', continue: first.metadata.continue })).status, 200)
  await api.store.compact(api.store.revision())
  const { status, object } = await api.get(ALL, { limit: '1', continue: first.metadata.continue })
  assert.equal(status, 410)
  assert.equal(object.reason, 'Expired')
  const rest = await api.get(ALL, { continue: object.metadata.continue })
  assert.deepEqual(namesOf(rest.object), ['b', 'c'])
})

test('list orders by namespace and name, as bytes', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  for (const path of ['a-b/x', 'a/y', 'a/x', 'b/a']) {
    const [namespace, name] = path.split('/') as [string, string]
    await api.send('POST', `/api/v1/namespaces/${namespace}/configmaps`, configMap(name))
  }
  const { object } = await api.get(ALL)
  assert.deepEqual(
    object.items.map((item: Loose) => `${item.metadata.namespace}/${item.metadata.name}`),
    ['a-b/x', 'a/x', 'a/y', 'b/a'],
  )
})

test('list selects by labels and fields', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  for (const [name, app] of [
    ['a', 'web'],
    ['b', 'web'],
    ['c', 'db'],
  ] as const) {
    await api.send('POST', MAPS, configMap(name, {}, { labels: { app } }))
  }
  const cases: [Record<string, string>, string[]][] = [
    [{ labelSelector: 'app=web' }, ['a', 'b']],
    [{ labelSelector: 'app!=web' }, ['c']],
    [{ labelSelector: 'app in (db, web)', fieldSelector: 'metadata.name!=b' }, ['a', 'c']],
    [{ fieldSelector: 'metadata.name=c' }, ['c']],
    [{ fieldSelector: 'metadata.name=c', labelSelector: 'app=web' }, []],
    [{ fieldSelector: 'metadata.name=a,metadata.name=b' }, []],
    [{ fieldSelector: 'metadata.name=a,metadata.name=a' }, ['a']],
    [{ fieldSelector: 'metadata.namespace=default' }, ['a', 'b', 'c']],
    [{ fieldSelector: 'metadata.namespace=other' }, []],
  ]
  for (const [query, expected] of cases) {
    assert.deepEqual(namesOf((await api.get(ALL, query)).object), expected, JSON.stringify(query))
  }
  const { status, object } = await api.get(ALL, { fieldSelector: 'spec.nodeName=x' })
  assert.equal(status, 400)
  assert.match(object.message, /"spec.nodeName" is not a known field selector/)
})

test('list at an exact revision shows the past; at one of the future it is refused', async t => {
  const api = await filled(['a', 'b'])
  t.after(() => api.server.close())
  const past = await api.get(ALL, { resourceVersion: '1', resourceVersionMatch: 'Exact' })
  assert.deepEqual(namesOf(past.object), ['a'])
  assert.equal(past.object.metadata.resourceVersion, '1')
  const future = await api.get(ALL, { resourceVersion: '99' })
  assert.equal(future.status, 504)
  assert.equal(future.object.details.causes[0].reason, 'ResourceVersionTooLarge')
})

test('list comes as a Table or as metadata alone, as the client accepts', async t => {
  const api = await filled(['a'])
  t.after(() => api.server.close())
  const table = (await api.get(ALL, {}, 'application/json;as=Table;v=v1;g=meta.k8s.io')).object
  assert.equal(table.kind, 'Table')
  assert.deepEqual(
    table.columnDefinitions.map((column: Loose) => column.name),
    ['Name', 'Data', 'Age'],
  )
  assert.deepEqual(table.rows[0].cells, ['a', 0, '0s'])
  assert.equal(table.rows[0].object.kind, 'PartialObjectMetadata')
  const meta = (await api.get(ALL, {}, 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io')).object
  assert.equal(meta.kind, 'PartialObjectMetadataList')
  assert.equal(meta.items[0].data, undefined)
  const { status, object } = await api.get(ALL, {}, 'application/cbor')
  assert.equal(status, 406)
  assert.equal(object.reason, 'NotAcceptable')
})

test('deletecollection deletes what the selector shows', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  for (const [name, app] of [
    ['a', 'web'],
    ['b', 'db'],
  ] as const) {
    await api.send('POST', MAPS, configMap(name, {}, { labels: { app } }))
  }
  const { status } = await api.send('DELETE', MAPS, undefined, { labelSelector: 'app=web' })
  assert.equal(status, 200)
  assert.deepEqual(namesOf((await api.get(ALL)).object), ['b'])
})

const refusals: [string, Record<string, string>, number, string][] = [
  [
    ALL,
    { resourceVersion: 'abc' },
    400,
    'invalid resource version: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
  ],
  [
    ALL,
    { resourceVersion: '18446744073709551616' },
    400,
    'invalid resource version: resourceVersion: Invalid value: "18446744073709551616": strconv.ParseUint: parsing "18446744073709551616": value out of range',
  ],
  [
    `${MAPS}/a`,
    { resourceVersion: 'abc' },
    500,
    'resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
  ],
  [ALL, { limit: '99999999999999999999' }, 400, 'strconv.ParseInt: parsing "99999999999999999999": value out of range'],
  [
    ALL,
    { continue: 'abc' },
    400,
    "invalid continue token: continue key is not valid: invalid character 'i' looking for beginning of value",
  ],
  [
    ALL,
    { continue: 'e30' },
    400,
    'invalid continue token: continue key is not valid: server does not recognize this encoded version ',
  ],
  ['/apis/batch/v1/jobs', { fieldSelector: 'spec.x=1' }, 400, 'field label "spec.x" not supported for Job'],
  [
    '/apis/apps/v1/replicasets',
    { fieldSelector: 'spec.x=1' },
    400,
    '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
  ],
  ['/api/v1/pods', { fieldSelector: 'spec.x=1' }, 400, 'field label not supported: spec.x'],
]
test('list refuses in the words of upstream', async t => {
  const api = await filled(['a'])
  t.after(() => api.server.close())
  for (const [path, query, status, message] of refusals) {
    const reply = await api.get(path, query)
    assert.deepEqual([reply.status, reply.object.message], [status, message], JSON.stringify(query))
  }
})

test('list does not take a revision beside a continue token', async t => {
  const api = await filled(['a', 'b', 'c'])
  t.after(() => api.server.close())
  const { metadata } = (await api.get(ALL, { limit: '1' })).object
  const reply = await api.get(ALL, { continue: metadata.continue, resourceVersion: metadata.resourceVersion })
  assert.equal(reply.object.message, 'specifying resource version is not allowed when using continue')
  const more = await api.get(ALL, { continue: metadata.continue, resourceVersion: '0', limit: '1' })
  assert.deepEqual(namesOf(more.object), ['b'])
})

test('list at revision 0 comes whole, whatever the limit', async t => {
  const api = await filled(['a', 'b', 'c'])
  t.after(() => api.server.close())
  const { object } = await api.get(ALL, { limit: '1', resourceVersion: '0' })
  assert.deepEqual([namesOf(object), object.metadata.continue], [['a', 'b', 'c'], undefined])
})
