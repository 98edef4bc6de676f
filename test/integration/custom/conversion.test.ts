/** Custom resources whose versions a webhook converts: what it may change, how it may lie, and what works without it. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { webhookConversion } from '../../../src/apiserver/custom/webhook-conversion.ts'
import { createWebhookCaller } from '../../../src/apiserver/webhooks/call.ts'
import { startWebhook } from '../../../src/apiserver/webhooks/webhook-server.fixture.ts'
import { virtualClock } from '../../../src/lib/virtual-clock.ts'
import { type Loose, startApi } from '../api/start.ts'
import { DEFINITIONS, definition, establish, untilDefinition, WIDGETS, widget } from './definition.ts'

const V2 = WIDGETS.replace('v1', 'v2')
const UID = '00000000-0000-4000-8000-000000000000'

/** An answer to a review; `change` is done to every object. */
const converted = (body: Loose, change = (object: Loose) => object, more: object = {}): Loose => ({
  kind: body.kind,
  apiVersion: body.apiVersion,
  response: {
    uid: body.request.uid,
    result: { status: 'Success' },
    convertedObjects: body.request.objects.map((object: Loose) =>
      change({ ...object, apiVersion: body.request.desiredAPIVersion }),
    ),
    ...more,
  },
})

async function start(t: TestContext) {
  const state = { answer: (body: Loose): unknown => converted(body) }
  const hook = await startWebhook(body => state.answer(body))
  const clock = virtualClock()
  const webhooks = createWebhookCaller({
    resolve: () => {
      throw new Error('there are no services')
    },
    clock,
  })
  const api = await startApi({ converter: each => webhookConversion(each, { webhooks, uuid: () => UID }) }, clock)
  t.after(async () => {
    await api.server.close()
    webhooks.close()
    await hook.close()
  })
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
  const clientConfig = { url: `https://127.0.0.1:${hook.port}/convert`, caBundle: hook.caBundle }
  await establish(
    api,
    definition({
      versions: [
        { name: 'v1', served: true, storage: true, schema },
        { name: 'v2', served: true, storage: false, schema },
      ],
      conversion: { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig } },
    }),
  )
  return { api, hook, state, clock }
}

/** What is wrong with an answer: the sentence that the client is told, after `conversion webhook for … Kind=Widget `. */
const LIES: readonly (readonly [(body: Loose) => unknown, string | RegExp])[] = [
  [body => ({ ...converted(body), response: undefined }), 'failed: no response provided'],
  [body => converted(body, undefined, { uid: 'x' }), `failed: expected response.uid="${UID}", got "x"`],
  [
    body => ({ ...converted(body), apiVersion: 'apiextensions.k8s.io/v1beta1' }),
    'failed: converting (v1beta1.ConversionReview) to (v1.ConversionReview): unknown conversion',
  ],
  [() => ({}), 'failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got /, Kind='],
  [body => converted(body, undefined, { result: { status: 'Failure', message: 'I will not' } }), 'failed: I will not'],
  [body => converted(body, undefined, { result: {} }), "failed: response.result.status was '', not 'Success'"],
  [body => converted(body, undefined, { convertedObjects: [] }), 'returned 0 objects, expected 1'],
  [
    body => converted(body, each => ({ ...each, apiVersion: 'example.com/v9' })),
    'returned invalid object at index 0: invalid groupVersion (expected example.com/v2, received example.com/v9)',
  ],
  [
    body => converted(body, each => ({ ...each, kind: 'Gadget' })),
    'returned invalid object at index 0: invalid kind (expected Widget, received Gadget)',
  ],
  [
    body => converted(body, each => ({ ...each, metadata: { ...each.metadata, name: 'z' } })),
    'returned invalid object: must have the same name: a != z',
  ],
  [
    body => converted(body, each => ({ ...each, metadata: { ...each.metadata, namespace: 'z' } })),
    'returned invalid object: must have the same namespace: default != z',
  ],
  [
    body => converted(body, each => ({ ...each, metadata: { ...each.metadata, uid: 'z' } })),
    /returned invalid object: must have the same UID: \S+ != z$/,
  ],
  [
    body => converted(body, each => ({ ...each, metadata: { ...each.metadata, labels: { a: 1 } } })),
    'returned invalid metadata: metadata.labels[a] must be a string, but is int64 in converted object',
  ],
  [
    body => converted(body, each => ({ ...each, metadata: { ...each.metadata, labels: 'x' } })),
    'returned invalid metadata: invalid metadata.labels of type string in converted object',
  ],
  [
    body => converted(body, each => ({ ...each, metadata: { ...each.metadata, annotations: { '?': 'x' } } })),
    /returned invalid metadata: metadata.annotation: Invalid value: "\?": name part must/,
  ],
  [body => converted(body, () => null), /^unexpected end of JSON input$/],
  [
    () => '[]',
    /failed: couldn't get version\/kind; json parse error: json: cannot unmarshal array into Go value of type/,
  ],
  [() => '<html>', /failed: couldn't get version\/kind/],
]

test('a webhook converts what is read and written; of the metadata only labels and annotations', async t => {
  const { api, hook, state } = await start(t)
  await api.send('POST', WIDGETS, widget('a', { x: 1 }))
  assert.equal(hook.received.length, 0, 'the stored version needs no conversion')
  state.answer = body =>
    converted(body, each => ({
      ...each,
      spec: { in: body.request.desiredAPIVersion },
      metadata: { ...each.metadata, labels: { a: 'b' }, finalizers: ['no/no'], generation: 99 },
    }))
  const { object } = await api.get(`${V2}/a`)
  assert.deepEqual([object.apiVersion, object.spec], ['example.com/v2', { in: 'example.com/v2' }])
  assert.deepEqual(
    [object.metadata.labels, object.metadata.finalizers, object.metadata.generation],
    [{ a: 'b' }, undefined, 1],
  )
  assert.equal(hook.received[0].request.objects.length, 1)
  await api.get(`${V2}/a`)
  await api.get(V2)
  assert.equal(hook.received.length, 1, 'it is asked once for each revision')

  const created = await api.send('POST', V2, { ...widget('b'), apiVersion: 'example.com/v2' })
  assert.equal(created.object.apiVersion, 'example.com/v2')
  assert.deepEqual((await api.get(`${WIDGETS}/b`)).object.spec, { in: 'example.com/v1' })
})

test('a list is converted in one request, or not at all', async t => {
  const { api, hook, state } = await start(t)
  for (const name of ['a', 'b', 'c']) await api.send('POST', WIDGETS, widget(name))
  state.answer = body => converted(body, each => (each.metadata.name === 'b' ? { ...each, kind: 'Gadget' } : each))
  assert.equal((await api.get(V2)).status, 500)
  state.answer = body => converted(body)
  const { object } = await api.get(V2)
  assert.deepEqual(
    object.items.map((each: Loose) => each.apiVersion),
    Array(3).fill('example.com/v2'),
  )
  assert.deepEqual(
    hook.received.map(each => each.request.objects.length),
    [3, 3],
  )
})

test('a watch shows converted objects, and ends with an error where they cannot be', async t => {
  const { api, state } = await start(t)
  await api.send('POST', WIDGETS, widget('a'))
  const stop = new AbortController()
  t.after(() => stop.abort())
  const { events } = (await api.transport({
    method: 'GET',
    path: V2,
    query: { watch: 'true' },
    signal: stop.signal,
  })) as Loose
  const next = events[Symbol.asyncIterator]()
  const [first] = [await next.next()]
  assert.deepEqual(JSON.stringify(first.value).match(/example.com\/v2/g)?.length, 1)
  state.answer = () => ({})
  await api.send('POST', WIDGETS, widget('b'))
  assert.match(JSON.stringify((await next.next()).value), /conversion webhook for example.com\/v1, Kind=Widget failed/)
  assert.equal((await next.next()).done, true)
})

test('whatever a webhook answers, the client is told what is wrong, and nothing is changed', async t => {
  const { api, state } = await start(t)
  await api.send('POST', WIDGETS, widget('a'))
  for (const [lie, sentence] of LIES) {
    state.answer = lie
    const { status, object } = await api.get(`${V2}/a`)
    assert.equal(status, 500)
    if (typeof sentence === 'string')
      assert.equal(object.message, `conversion webhook for example.com/v1, Kind=Widget ${sentence}`)
    else assert.match(object.message, sentence)
    assert.equal((await api.send('POST', V2, { ...widget('b'), apiVersion: 'example.com/v2' })).status, 500)
  }
  assert.deepEqual(
    (await api.get(WIDGETS)).object.items.map((each: Loose) => each.metadata.name),
    ['a'],
  )
  state.answer = body => converted(body)
  assert.equal((await api.get(`${V2}/a`)).status, 200)
})

test('a webhook that hangs ends after 30 s, and its objects go with the definition without it', async t => {
  const { api, hook, state, clock } = await start(t)
  await api.send('POST', WIDGETS, widget('a'))
  let isAsked = () => {}
  const asked = new Promise<void>(resolve => {
    isAsked = resolve
  })
  state.answer = () => {
    isAsked()
    return new Promise(() => {})
  }
  const answer = api.get(`${V2}/a`)
  await asked
  await clock.advance(30_000)
  const { object } = await answer
  assert.equal(
    object.message,
    `conversion webhook for example.com/v1, Kind=Widget failed: Post "https://127.0.0.1:${hook.port}/convert?timeout=30s": context deadline exceeded`,
  )
  await api.send('DELETE', `${DEFINITIONS}/widgets.example.com`)
  await untilDefinition(api, 'widgets.example.com', each => each === undefined)
  assert.equal((await api.get(`${WIDGETS}/a`)).status, 404)
})

test('objects of a definition that serves no version go with it', async t => {
  const { api } = await start(t)
  await api.send('POST', WIDGETS, widget('a'))
  const path = `${DEFINITIONS}/widgets.example.com`
  const { object } = await api.get(path)
  for (const version of object.spec.versions) version.served = false
  assert.equal((await api.send('PUT', path, object)).status, 200)
  await untilDefinition(api, 'widgets.example.com', () => true)
  await api.send('DELETE', path)
  await untilDefinition(api, 'widgets.example.com', each => each === undefined)
  const left = await api.store.range({ prefix: '/registry/example.com/' })
  assert.equal(left.items.length, 0)
})
