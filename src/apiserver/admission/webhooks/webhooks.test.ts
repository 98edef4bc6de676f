import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../../lib/eventually.fixture.ts'
import { ADMIN, pod } from '../../bootstrap/server.fixture.ts'
import type { Loose } from '../../webhooks/webhook-server.fixture.ts'
import { configMap, MAPS, patch, review, rule, startHooked } from './webhooks.fixture.ts'

const PODS = '/api/v1/namespaces/default/pods'
const NAMESPACES = '/api/v1/namespaces'
const failed = 'Internal error occurred: failed calling webhook "hook0.example.com": '
const denied = 'admission webhook "hook0.example.com" denied the request'

test('a validating webhook is told who does what to which object, and warns the client', async t => {
  const { send, state, webhook, configure } = await startHooked(t)
  await configure('Validating', 'hook', {})
  state.answer = body => review(body, { warnings: ['careful'] })
  const created = await send(ADMIN, 'POST', MAPS, configMap('m'))
  assert.deepEqual([created.status, created.warnings], [201, ['careful']])
  await send(ADMIN, 'PUT', `${MAPS}/m`, configMap('m', { c: 'd' }))
  await send(ADMIN, 'DELETE', `${MAPS}/m`, undefined, { query: { dryRun: 'All' } })
  const [create, update, remove] = webhook.received.map(each => each.request)
  const { uid, object, userInfo, ...rest } = create
  assert.match(uid, /^[0-9a-f-]{36}$/)
  assert.deepEqual([object.kind, object.apiVersion, object.data], ['ConfigMap', 'v1', { a: 'b' }])
  assert.deepEqual(userInfo, { username: ADMIN.name, groups: ADMIN.groups })
  assert.deepEqual(rest, {
    kind: { group: '', version: 'v1', kind: 'ConfigMap' },
    resource: { group: '', version: 'v1', resource: 'configmaps' },
    requestKind: { group: '', version: 'v1', kind: 'ConfigMap' },
    requestResource: { group: '', version: 'v1', resource: 'configmaps' },
    name: 'm',
    namespace: 'default',
    operation: 'CREATE',
    oldObject: null,
    dryRun: false,
    options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
  })
  assert.deepEqual([update.operation, update.object.data, update.oldObject.data], ['UPDATE', { c: 'd' }, { a: 'b' }])
  assert.deepEqual([remove.object, remove.oldObject.data, remove.dryRun], [null, { c: 'd' }, true])
})

test('a webhook that refuses is named, with its own words, reason and code', async t => {
  const { send, state, configure } = await startHooked(t)
  await configure('Validating', 'hook', {})
  const cases: [object, number, string, string?][] = [
    [{}, 400, `${denied} without explanation`],
    [{ status: { message: 'no way', code: 418, reason: 'Teapot' } }, 418, `${denied}: no way`, 'Teapot'],
    [{ status: { reason: 'Forbidden', code: 200 } }, 400, `${denied}: Forbidden`, 'Forbidden'],
  ]
  for (const [response, code, message, reason] of cases) {
    state.answer = body => review(body, { allowed: false, ...response })
    const { status, object } = await send(ADMIN, 'POST', MAPS, configMap('m'))
    assert.deepEqual([status, object.message, object.reason], [code, message, reason])
  }
})

test('a webhook that does not answer as it should fails the request, unless its failure is ignored', async t => {
  const { send, state, configure } = await startHooked(t)
  await configure('Validating', 'hook', {})
  const own = 'received invalid webhook response: '
  const cases: [(body: Loose) => unknown, string][] = [
    [
      () => undefined,
      'failed to call webhook: an error on the server ("broken") has prevented the request from succeeding',
    ],
    [() => ({}), `${own}webhook response was absent`],
    [
      () => [],
      `failed to call webhook: couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    ],
    [
      body => ({ response: review(body).response }),
      `${own}expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got /, Kind=`,
    ],
    [
      body => review(body, {}, 'admission.k8s.io/v1beta1'),
      'failed to call webhook: converting (v1beta1.AdmissionReview) to (v1.AdmissionReview): unknown conversion',
    ],
    [
      body => review(body, { allowed: 'yes' }),
      'failed to call webhook: json: cannot unmarshal string into Go struct field AdmissionResponse.response.allowed of type bool',
    ],
    [
      body => review(body, patch({ op: 'remove', path: '/data' })),
      `${own}validating webhook may not return response.patch`,
    ],
  ]
  for (const [answer, message] of cases) {
    state.answer = answer
    const { status, object } = await send(ADMIN, 'POST', MAPS, configMap('m'))
    assert.deepEqual([status, object.message], [500, failed + message])
  }
  await send(ADMIN, 'DELETE', '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/hook')
  await configure('Validating', 'open', { failurePolicy: 'Ignore' })
  state.answer = () => undefined
  assert.equal((await send(ADMIN, 'POST', MAPS, configMap('m'))).status, 201)
})

test('a webhook is asked about a dry run only where it says that it has no side effects', async t => {
  const { send, store, webhook, configure } = await startHooked(t)
  const dryRun = { query: { dryRun: 'All' } }
  await configure('Validating', 'safe', { sideEffects: 'NoneOnDryRun' })
  assert.equal((await send(ADMIN, 'POST', MAPS, configMap('m'), dryRun)).status, 201)
  assert.equal(webhook.received[0].request.dryRun, true)
  assert.equal((await configure('Validating', 'unsafe', { sideEffects: 'Some' })).status, 422)
  // One that was stored when side effects were still allowed.
  const { object: old } = await configure('Validating', 'unsafe', {})
  const webhooks = (old.webhooks as Loose[]).map(each => ({ ...each, sideEffects: 'Some' }))
  const key = '/registry/admissionregistration.k8s.io/validatingwebhookconfigurations/unsafe'
  await store.commit([{ type: 'put', key, value: Buffer.from(JSON.stringify({ ...old, webhooks })) }])
  const { status, object } = await send(ADMIN, 'POST', MAPS, configMap('m'), dryRun)
  assert.deepEqual([status, object.message], [400, 'admission webhook "unsafe0.example.com" does not support dry run'])
})

test('a mutating webhook changes what is stored, and never status, names or what is not an object', async t => {
  const { send, state, configure } = await startHooked(t)
  await configure('Mutating', 'hook', { rules: [rule(['configmaps', 'pods'])] })
  state.answer = body =>
    review(body, patch({ op: 'add', path: '/data/x', value: 'y' }, { op: 'add', path: '/wat', value: 1 }))
  const { object } = await send(ADMIN, 'POST', MAPS, configMap('m'))
  assert.deepEqual([object.data, object.wat], [{ a: 'b', x: 'y' }, undefined])
  const cases: [object, string][] = [
    [
      patch({ op: 'remove', path: '/data/no' }),
      'Internal error occurred: Unable to remove nonexistent key: no: missing value',
    ],
    [
      patch({ op: 'test', path: '/data/a', value: 'z' }),
      'Internal error occurred: testing value /data/a failed: test failed',
    ],
    [patch({ op: 'dance', path: '/data/a' }), 'Internal error occurred: Unexpected kind: dance'],
    [
      patch({ op: 'replace', path: '/data', value: 'text' }),
      'Internal error occurred: json: cannot unmarshal string into Go struct field ConfigMap.data of type map[string]string',
    ],
    [
      { patch: patch().patch },
      `${failed}received invalid webhook response: webhook returned response.patch but not response.patchType`,
    ],
    [
      { patchType: 'JSONPatch' },
      `${failed}received invalid webhook response: webhook returned response.patchType but not response.patch`,
    ],
    [{ ...patch(), patchType: 'Odd' }, `${failed}unsupported patch type "Odd"`],
    [
      { patchType: 'JSONPatch', patch: Buffer.from('{}').toString('base64') },
      `${failed}received undecodable patch in webhook response: json: cannot unmarshal object into Go value of type jsonpatch.Patch`,
    ],
    [
      patch({ op: 'replace', path: '/metadata/namespace', value: 'zz' }),
      'the namespace of the provided object does not match the namespace sent on the request',
    ],
  ]
  for (const [response, message] of cases) {
    state.answer = body => review(body, response)
    assert.equal((await send(ADMIN, 'POST', MAPS, configMap('n'))).object.message, message)
  }
  state.answer = body => review(body, patch({ op: 'add', path: '/data', value: {} }))
  assert.equal(
    (await send(ADMIN, 'DELETE', `${MAPS}/m`)).object.message,
    'Internal error occurred: admission webhook "hook0.example.com" attempted to modify the object, which is not supported for this operation',
  )
  state.answer = body => review(body, patch({ op: 'add', path: '/status', value: { phase: 'Running' } }))
  const made = await send(ADMIN, 'POST', PODS, pod('p'))
  assert.equal(made.object.status.phase, 'Pending')
})

test('mutating webhooks are asked in the order of names, and once more where they ask for it and others changed something', async t => {
  const { send, state, webhook, configure } = await startHooked(t)
  const asked: string[] = []
  state.answer = (body, path) => {
    asked.push(path)
    const fresh = path === '/b0' && !body.request.object.data.one
    return review(body, fresh ? patch({ op: 'add', path: '/data/one', value: 'y' }) : {})
  }
  await configure('Mutating', 'c', {})
  await configure('Mutating', 'b', {})
  await configure('Mutating', 'a', { reinvocationPolicy: 'IfNeeded' }, { reinvocationPolicy: 'Never' })
  await send(ADMIN, 'POST', MAPS, configMap('m'))
  assert.deepEqual(asked, ['/a0', '/a1', '/b0', '/c0', '/a0'])
  assert.deepEqual(webhook.received.at(-1).request.object.data, { a: 'b', one: 'y' })
})

test('rules, selectors and scopes choose the requests that a webhook is asked about', async t => {
  const { send, state, webhook, configure } = await startHooked(t)
  await send(ADMIN, 'POST', NAMESPACES, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'hooked', labels: { hooked: 'yes' } },
  })
  const there = (name: string, labels?: object) => {
    const map = configMap(name, {}, labels)
    return send(ADMIN, 'POST', '/api/v1/namespaces/hooked/configmaps', {
      ...map,
      metadata: { ...map.metadata, namespace: 'hooked' },
    })
  }
  const labels = { matchLabels: { hooked: 'yes' } }
  await configure('Validating', 'a', { namespaceSelector: labels })
  await configure('Validating', 'b', { objectSelector: labels })
  await configure('Validating', 'c', { rules: [rule(['configmaps'], ['DELETE'])] })
  await configure('Validating', 'd', {
    rules: [rule(['*/*'], ['CREATE'], { scope: 'Cluster' })],
    namespaceSelector: labels,
  })
  await configure('Validating', 'e', { rules: [rule(['configmaps/status', 'secrets'])] })
  let asked: string[] = []
  state.answer = (body, path) => {
    asked.push(path)
    return review(body)
  }
  const calls = async (make: () => Promise<unknown>) => {
    asked = []
    await make()
    return asked.sort()
  }
  assert.deepEqual(await calls(() => send(ADMIN, 'POST', MAPS, configMap('m'))), [])
  assert.deepEqual(await calls(() => there('m')), ['/a0'])
  assert.deepEqual(await calls(() => there('n', { hooked: 'yes' })), ['/a0', '/b0'])
  assert.deepEqual(await calls(() => send(ADMIN, 'DELETE', '/api/v1/namespaces/hooked/configmaps/n')), [
    '/a0',
    '/b0',
    '/c0',
  ])
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } }
  assert.deepEqual(await calls(() => send(ADMIN, 'POST', '/api/v1/nodes', node)), ['/d0'])
  const space = (name: string, labels: object) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } })
  assert.deepEqual(await calls(() => send(ADMIN, 'POST', NAMESPACES, space('x', { hooked: 'yes' }))), ['/d0'])
  assert.deepEqual(await calls(() => send(ADMIN, 'POST', NAMESPACES, space('y', {}))), [])
  assert.equal(webhook.received.length > 0, true)
})

test('matchPolicy Equivalent asks about another version of the same object, in that version', async t => {
  const { send, webhook, configure } = await startHooked(t)
  const v1 = { rules: [{ operations: ['CREATE'], apiGroups: ['autoscaling'], apiVersions: ['v1'], resources: ['*'] }] }
  await configure('Validating', 'same', v1)
  await configure('Validating', 'exact', { ...v1, matchPolicy: 'Exact' })
  const created = await send(ADMIN, 'POST', '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers', {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'h', namespace: 'default' },
    spec: {
      maxReplicas: 3,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
      ],
    },
  })
  assert.equal(created.status, 201, JSON.stringify(created.object))
  assert.equal(webhook.received.length, 1)
  const { kind, requestKind, object } = webhook.received[0].request
  assert.deepEqual([kind.version, requestKind.version, object.apiVersion], ['v1', 'v2', 'autoscaling/v1'])
  assert.equal(object.spec.targetCPUUtilizationPercentage, 50)
})

test('webhooks are asked about bindings, evictions, tokens and connections, in their own types', async t => {
  const { send, webhook, state, configure } = await startHooked(t)
  await configure('Validating', 'hook', { rules: [rule(['pods/*', 'serviceaccounts/token'])] })
  await send(ADMIN, 'POST', PODS, pod('p'))
  const say = async (method: 'POST' | 'GET', path: string, body?: object, query?: Record<string, string>) => {
    const { object } = await send(ADMIN, method, path, body, { ...(query && { query }) })
    const { kind, operation, subResource, resource } = webhook.received.at(-1).request
    return [operation, resource.resource, subResource, kind.kind, object.message]
  }
  state.answer = body => review(body, { allowed: false })
  const no = `${denied} without explanation`
  const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'p' }, target: { kind: 'Node', name: 'n' } }
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'p' } }
  const token = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences: ['a'] } }
  const deepEqual: (actual: unknown, expected: unknown) => void = assert.deepEqual
  deepEqual(await say('POST', `${PODS}/p/binding`, binding), ['CREATE', 'pods', 'binding', 'Binding', no])
  deepEqual(await say('POST', `${PODS}/p/eviction`, eviction), ['CREATE', 'pods', 'eviction', 'Eviction', no])
  deepEqual(await say('POST', '/api/v1/namespaces/default/serviceaccounts/default/token', token), [
    'CREATE',
    'serviceaccounts',
    'token',
    'TokenRequest',
    no,
  ])
  const exec = { command: 'ls', stdout: 'true' }
  deepEqual(await say('POST', `${PODS}/p/exec`, undefined, exec), ['CONNECT', 'pods', 'exec', 'PodExecOptions', no])
  deepEqual(webhook.received.at(-1).request.object, {
    kind: 'PodExecOptions',
    apiVersion: 'v1',
    stdout: true,
    command: ['ls'],
  })
  deepEqual(await say('GET', `${PODS}/p/proxy/a/b`), ['CONNECT', 'pods', 'proxy', 'PodProxyOptions', no])
})

test('webhooks are never asked about the configuration of webhooks and policies', async t => {
  const { send, state, configure } = await startHooked(t)
  await configure('Validating', 'hook', { rules: [rule(['*'])] })
  state.answer = body => review(body, { allowed: false })
  assert.equal((await configure('Mutating', 'other', {})).status, 201)
  const gone = await send(ADMIN, 'DELETE', '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/hook')
  assert.equal(gone.status, 200)
})

test('webhooks are asked about reviews, which are answered and not kept', async t => {
  const { send, state, webhook, configure } = await startHooked(t)
  await configure('Validating', 'hook', { rules: [rule(['subjectaccessreviews'])] })
  state.answer = body => review(body, { allowed: false })
  const { status } = await send(ADMIN, 'POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user: 'x', resourceAttributes: { verb: 'get', resource: 'pods' } },
  })
  assert.equal(status, 400)
  assert.equal(webhook.received[0].request.object.spec.user, 'x')
})

test('webhooks are asked about custom resources, in the version that their rules name', async t => {
  const { send, state, webhook, configure } = await startHooked(t)
  const schema = {
    openAPIV3Schema: {
      type: 'object',
      properties: {
        spec: { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string', default: 'x' } } },
      },
    },
  }
  const version = (name: string, storage: boolean) => ({ name, served: true, storage, schema })
  const made = await send(ADMIN, 'POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'things', singular: 'thing', kind: 'Thing' },
      versions: [version('v1', false), version('v2', true)],
    },
  })
  assert.equal(made.status, 201, made.object.message)
  const v1 = {
    rules: [{ operations: ['CREATE'], apiGroups: ['example.com'], apiVersions: ['v1'], resources: ['things'] }],
  }
  await configure('Mutating', 'hook', v1)
  state.answer = body =>
    review(body, patch({ op: 'add', path: '/spec/a', value: 'patched' }, { op: 'add', path: '/spec/wat', value: 1 }))
  const thing = { apiVersion: 'example.com/v2', kind: 'Thing', metadata: { name: 't', namespace: 'default' }, spec: {} }
  const path = '/apis/example.com/v2/namespaces/default/things'
  let created = await send(ADMIN, 'POST', path, thing)
  await eventually(async () => {
    if (created.status === 404) created = await send(ADMIN, 'POST', path, thing)
    return created.status !== 404
  })
  assert.equal(created.status, 201, created.object.message)
  assert.equal(created.object.apiVersion, 'example.com/v2')
  assert.deepEqual(created.object.spec, { a: 'patched', b: 'x' })
  const { kind, requestKind, object } = webhook.received[0].request
  assert.deepEqual([kind.version, requestKind.version, object.apiVersion], ['v1', 'v2', 'example.com/v1'])
  state.answer = body => review(body, { allowed: false, status: { message: 'no things' } })
  const refused = await send(ADMIN, 'POST', path, { ...thing, metadata: { name: 'u', namespace: 'default' } })
  assert.equal(refused.object.message, `${denied}: no things`)
})
