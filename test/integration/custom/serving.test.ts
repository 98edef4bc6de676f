/** Definitions become kinds that are served, and go again. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Loose, startApi, type TestApi } from '../api/start.ts'
import { DEFINITIONS, definition, establish, untilDefinition, WIDGETS, widget } from './definition.ts'

async function start(t: TestContext): Promise<TestApi> {
  const api = await startApi()
  t.after(() => api.server.close())
  return api
}

test('a definition is established with its names, and its kind is discovered', async t => {
  const api = await start(t)
  const names = { shortNames: ['wd'], categories: ['all'] }
  const { status } = await establish(api, definition({ names, version: { subresources: { status: {} } } }))
  assert.deepEqual(
    status.conditions.map((each: Loose) => [each.type, each.status, each.reason]),
    [
      ['NamesAccepted', 'True', 'NoConflicts'],
      ['Established', 'True', 'InitialNamesAccepted'],
    ],
  )
  assert.deepEqual(status.acceptedNames, {
    plural: 'widgets',
    singular: 'widget',
    kind: 'Widget',
    listKind: 'WidgetList',
    ...names,
  })
  assert.deepEqual(status.storedVersions, ['v1'])
  const list = (await api.get('/apis/example.com/v1')).object
  assert.deepEqual(
    list.resources.map((each: Loose) => [each.name, each.kind, each.shortNames, each.categories]),
    [
      ['widgets', 'Widget', ['wd'], ['all']],
      ['widgets/status', 'Widget', undefined, undefined],
    ],
  )
})

test('a custom resource is pruned, validated, generated and owned like any object', async t => {
  const api = await start(t)
  const spec = { properties: { size: { type: 'integer', maximum: 10 }, port: { 'x-kubernetes-int-or-string': true } } }
  await establish(api, definition({ spec, version: { subresources: { status: {} } } }))
  const body = { ...widget('a', { size: 5, colour: 'red' }, { strange: true }), status: { phase: 'New' } }
  const created = await api.send('POST', WIDGETS, body, { fieldValidation: 'Warn' })
  assert.equal(created.status, 201)
  assert.deepEqual(created.object.spec, { size: 5 })
  assert.equal(created.object.status, undefined)
  assert.equal(created.object.metadata.generation, 1)
  assert.deepEqual(created.object.metadata.managedFields[0].fieldsV1, { 'f:spec': { '.': {}, 'f:size': {} } })
  assert.deepEqual(created.warnings, ['unknown field "metadata.strange"', 'unknown field "spec.colour"'])

  const strict = await api.send('POST', WIDGETS, widget('b', { colour: 'red' }), { fieldValidation: 'Strict' })
  assert.equal(
    strict.object.message,
    'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.colour"',
  )
  const refused = await api.send('POST', WIDGETS, widget('b', { size: 11, port: true }))
  assert.equal(refused.status, 422)
  assert.equal(
    refused.object.message,
    'Widget.example.com "b" is invalid: [spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10, spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"]',
  )
})

test('the status endpoint changes status alone, and strategic merge is not offered', async t => {
  const api = await start(t)
  await establish(api, definition({ version: { subresources: { status: {} } } }))
  await api.send('POST', WIDGETS, widget('a'))
  const patch = { metadata: { labels: { a: 'b' } }, status: { phase: 'Ready' } }
  const path = `${WIDGETS}/a`
  const { object } = await api.send('PATCH', `${path}/status`, patch, {}, 'application/merge-patch+json')
  assert.deepEqual(
    [object.status, object.metadata.labels, object.metadata.generation],
    [{ phase: 'Ready' }, undefined, 1],
  )
  const main = await api.send('PATCH', path, { status: { phase: 'Lost' } }, {}, 'application/merge-patch+json')
  assert.deepEqual(main.object.status, { phase: 'Ready' })
  const strategic = await api.send('PATCH', path, patch, {}, 'application/strategic-merge-patch+json')
  assert.equal(strategic.status, 415)
})

test('defaults are filled in on writes, and on reads of what was stored before they were', async t => {
  const api = await start(t)
  const properties = { size: { type: 'integer' } }
  const { metadata } = await establish(api, definition({ spec: { properties } }))
  await api.send('POST', WIDGETS, widget('old'))
  const changed = definition({ spec: { properties: { ...properties, colour: { type: 'string', default: 'blue' } } } })
  changed.metadata.resourceVersion = metadata.resourceVersion
  const { object } = await api.send('PUT', `${DEFINITIONS}/widgets.example.com`, changed)
  assert.equal(object.metadata.generation, 2)
  await untilDefinition(api, 'widgets.example.com', () => true)
  assert.deepEqual((await api.get(`${WIDGETS}/old`)).object.spec, { colour: 'blue' })
  assert.deepEqual((await api.send('POST', WIDGETS, widget('new'))).object.spec, { colour: 'blue' })
  const { object: list } = await api.get(WIDGETS)
  assert.deepEqual(
    list.items.map((each: Loose) => each.spec),
    [{ colour: 'blue' }, { colour: 'blue' }],
  )
})

test('versions show the same objects, and an object keeps the version it was stored in until it is written', async t => {
  const api = await start(t)
  const schema = (field: string) => ({
    openAPIV3Schema: {
      type: 'object',
      properties: { spec: { type: 'object', properties: { [field]: { type: 'string' } } } },
    },
  })
  const versions = [
    { name: 'v1beta1', served: true, storage: true, schema: schema('old') },
    { name: 'v1', served: true, storage: false, schema: schema('new') },
  ]
  await establish(api, definition({ versions }))
  await api.send('POST', WIDGETS, widget('a', { new: 'x', old: 'y' }))
  const beta = WIDGETS.replace('v1', 'v1beta1')
  assert.deepEqual((await api.get(`${WIDGETS}/a`)).object.spec, {})
  assert.equal((await api.get(`${beta}/a`)).object.apiVersion, 'example.com/v1beta1')
  const group = (await api.get('/apis/example.com')).object
  assert.deepEqual(
    group.versions.map((each: Loose) => each.version),
    ['v1', 'v1beta1'],
  )
})

test('a definition that goes takes its instances with it, and those with finalizers hold it', async t => {
  const api = await start(t)
  await establish(api, definition())
  await api.send('POST', WIDGETS, widget('a'))
  await api.send('POST', WIDGETS, widget('held', {}, { finalizers: ['example.com/hold'] }))
  const path = `${DEFINITIONS}/widgets.example.com`
  const { status, object } = await api.send('DELETE', path)
  assert.equal(status, 200)
  assert.deepEqual(object.metadata.finalizers, ['customresourcecleanup.apiextensions.k8s.io'])
  await untilDefinition(api, 'widgets.example.com', each =>
    each.status.conditions.some((condition: Loose) => condition.reason === 'InstanceDeletionInProgress'),
  )
  const refused = await api.send('POST', WIDGETS, widget('b'))
  assert.equal(refused.status, 403)
  assert.match(refused.object.message, /create not allowed while custom resource definition is terminating$/)
  const held = { metadata: { finalizers: null } }
  while ((await api.get(WIDGETS)).object.items.length > 1)
    await new Promise<void>(resolve => void setImmediate(resolve))
  await api.send('PATCH', `${WIDGETS}/held`, held, {}, 'application/merge-patch+json')
  await untilDefinition(api, 'widgets.example.com', each => each === undefined)
  assert.equal((await api.get(WIDGETS)).status, 404)
  assert.equal((await api.get('/apis/example.com')).status, 404)
})

test('a name that is taken waits until it is free', async t => {
  const api = await start(t)
  const names = { shortNames: ['w'] }
  await establish(api, definition({ names }))
  await api.send('POST', DEFINITIONS, definition({ kind: 'Wheel', names }))
  const { status } = await untilDefinition(api, 'wheels.example.com', each => each.status.conditions?.length === 2)
  const [naming] = status.conditions
  assert.deepEqual(
    [naming.status, naming.reason, naming.message],
    ['False', 'ShortNamesConflict', '"w" is already in use'],
  )
  assert.equal((await api.get('/apis/example.com/v1/wheels')).status, 404)
  await api.send('DELETE', `${DEFINITIONS}/widgets.example.com`)
  await untilDefinition(api, 'wheels.example.com', each => each.status.conditions[0].status === 'True')
})

test('OpenAPI shows a custom kind with its schema, and no longer when it has gone', async t => {
  const api = await start(t)
  const spec = { description: 'What is wanted.', properties: { size: { type: 'integer', minimum: 1 } } }
  await establish(api, definition({ spec }))
  const document = (await api.get('/openapi/v3/apis/example.com/v1')).object
  const schema = document.components.schemas['com.example.v1.Widget']
  assert.deepEqual(schema.properties.spec, { type: 'object', ...spec })
  assert.deepEqual(schema['x-kubernetes-group-version-kind'], [{ group: 'example.com', kind: 'Widget', version: 'v1' }])
  const v2 = (await api.get('/openapi/v2')).object
  assert.deepEqual(v2.definitions['com.example.v1.Widget'].properties.spec, { type: 'object', ...spec })
  await api.send('DELETE', `${DEFINITIONS}/widgets.example.com`)
  await untilDefinition(api, 'widgets.example.com', each => each === undefined)
  assert.equal((await api.get('/openapi/v3/apis/example.com/v1')).status, 404)
})

test('definitions that are stored are served from the first request on', async t => {
  const api = await start(t)
  await establish(api, definition())
  await api.send('POST', WIDGETS, widget('a'))
  const again = await startApi({}, api.clock, api.store)
  t.after(() => again.server.close())
  assert.equal((await again.get(`${WIDGETS}/a`)).object.metadata.name, 'a')
})

test('a schema nested beyond measure is a bad request, also from inside the process', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  let schema: object = { type: 'string' }
  for (let depth = 0; depth < 20_000; depth++) schema = { type: 'object', properties: { a: schema } }
  const { status, object } = await api.send('POST', DEFINITIONS, definition({ spec: schema }))
  assert.equal(status, 400)
  assert.match(object.message, /nested too deeply/)
})
