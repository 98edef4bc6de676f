import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settled } from '../../../src/lib/virtual-clock.ts'
import { configMap, type Loose, startApi } from './start.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'

const deployment = (more: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'a', image: 'a:1' }] } },
    ...more,
  },
})

const patches: [string, string, unknown, (object: Loose) => unknown, unknown][] = [
  ['merge', 'application/merge-patch+json', { data: { x: null, y: '2' } }, object => object.data, { y: '2' }],
  [
    'json',
    'application/json-patch+json',
    [{ op: 'add', path: '/data/z', value: '3' }],
    object => object.data,
    { x: '1', z: '3' },
  ],
  [
    'strategic merge',
    'application/strategic-merge-patch+json',
    { metadata: { labels: { a: 'b' } } },
    object => object.metadata.labels,
    { a: 'b' },
  ],
]
for (const [name, type, body, read, expected] of patches) {
  test(`patch of kind ${name} changes what is stored`, async t => {
    const api = await startApi()
    t.after(() => api.server.close())
    await api.send('POST', MAPS, configMap('a', { x: '1' }))
    const { status, object } = await api.send('PATCH', `${MAPS}/a`, body, {}, type)
    assert.equal(status, 200)
    assert.deepEqual(read(object), expected)
  })
}

test('patch by strategic merge finds list items by their key', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  await api.send('POST', DEPLOYMENTS, deployment())
  const body = { spec: { template: { spec: { containers: [{ name: 'a', image: 'a:2' }] } } } }
  const { object } = await api.send('PATCH', `${DEPLOYMENTS}/web`, body, {}, 'application/strategic-merge-patch+json')
  assert.equal(object.spec.template.spec.containers.length, 1)
  assert.equal(object.spec.template.spec.containers[0].image, 'a:2')
  assert.equal(object.metadata.generation, 2)
})

test('patches at the same time are all applied', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  await api.send('POST', MAPS, configMap('a'))
  const type = 'application/merge-patch+json'
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, i) => api.send('PATCH', `${MAPS}/a`, { data: { [`k${i}`]: '1' } }, {}, type)),
  )
  assert.ok(answers.every(answer => answer.status === 200))
  assert.equal(Object.keys((await api.get(`${MAPS}/a`)).object.data).length, 40)
})

test('patch with another type is refused', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  await api.send('POST', MAPS, configMap('a'))
  const { status, object } = await api.send('PATCH', `${MAPS}/a`, {}, {}, 'application/json')
  assert.equal(status, 415)
  assert.match(object.message, /^415: Unsupported Media Type$/)
})

test('apply creates, keeps its fields, and conflicts with another manager', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  const apply = (body: unknown, manager: string, more: Record<string, string> = {}) =>
    api.send('PATCH', `${DEPLOYMENTS}/web`, body, { fieldManager: manager, ...more }, 'application/apply-patch+yaml')
  const created = await apply(deployment(), 'one')
  assert.equal(created.status, 201)
  assert.equal(created.object.metadata.managedFields[0].operation, 'Apply')
  assert.equal(created.object.spec.revisionHistoryLimit, 10)

  const same = await apply(deployment(), 'one')
  assert.equal(same.status, 200)
  assert.equal(same.object.metadata.resourceVersion, created.object.metadata.resourceVersion)

  const other = await apply(deployment({ replicas: 5 }), 'two')
  assert.equal(other.status, 409)
  assert.equal(other.object.message, 'Apply failed with 1 conflict: conflict with "one": .spec.replicas')
  const forced = await apply(deployment({ replicas: 5 }), 'two', { force: 'true' })
  assert.equal(forced.object.spec.replicas, 5)
})

test('scale shows and sets the number of replicas', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  await api.send('POST', DEPLOYMENTS, deployment())
  const scale = (await api.get(`${DEPLOYMENTS}/web/scale`)).object
  assert.equal(scale.kind, 'Scale')
  assert.deepEqual([scale.spec, scale.status], [{ replicas: 2 }, { replicas: 0, selector: 'app=web' }])
  const put = await api.send('PUT', `${DEPLOYMENTS}/web/scale`, { ...structuredClone(scale), spec: { replicas: 4 } })
  assert.equal(put.object.spec.replicas, 4)
  const stale = await api.send('PUT', `${DEPLOYMENTS}/web/scale`, { ...structuredClone(scale), spec: { replicas: 1 } })
  assert.equal(stale.status, 409)
  const patched = await api.send(
    'PATCH',
    `${DEPLOYMENTS}/web/scale`,
    { spec: { replicas: 0 } },
    {},
    'application/merge-patch+json',
  )
  assert.equal(patched.status, 200)
  assert.equal((await api.get(`${DEPLOYMENTS}/web`)).object.spec.replicas, 0)
})

test('scale is applied by managers, and takes no unknown field', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  await api.send('POST', DEPLOYMENTS, deployment(), { fieldManager: 'maker' })
  const scale = (replicas: number) => ({
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name: 'web' },
    spec: { replicas },
  })
  const path = `${DEPLOYMENTS}/web/scale`
  const apply = (replicas: number, query = {}) =>
    api.send('PATCH', path, scale(replicas), { fieldManager: 'scaler', ...query }, 'application/apply-patch+yaml')
  const conflict = await apply(5)
  assert.equal(conflict.status, 409)
  assert.equal(
    conflict.object.message,
    'Apply failed with 1 conflict: conflict with "maker" using autoscaling/v1: .spec.replicas',
  )
  assert.equal((await apply(5, { force: 'true' })).object.spec.replicas, 5)
  const { metadata, spec } = (await api.get(`${DEPLOYMENTS}/web`)).object
  assert.equal(spec.replicas, 5)
  const mine = metadata.managedFields.find((each: Loose) => each.manager === 'scaler')
  assert.deepEqual(
    [mine.operation, mine.apiVersion, mine.subresource, mine.fieldsV1],
    ['Apply', 'apps/v1', 'scale', { 'f:spec': { 'f:replicas': {} } }],
  )
  const odd = await api.send('PUT', path, { ...scale(1), odd: 1 }, { fieldValidation: 'Strict' })
  assert.equal(odd.status, 400)
  assert.match(odd.object.message, /unknown field "odd"/)
  const elsewhere = { ...scale(1), metadata: { name: 'web', namespace: 'x' } }
  assert.equal((await api.send('PUT', path, elsewhere)).status, 400)
})

test('a limit range without a name gets one, and a namespace is not deleted on other terms', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  const range = { spec: { limits: [{ type: 'Container', max: { cpu: '1' } }] } }
  const made = await api.send('POST', '/api/v1/namespaces/default/limitranges', range)
  assert.equal(made.status, 201)
  assert.match(made.object.metadata.name, /^[0-9a-f-]{36}$/)
  await api.send('POST', '/api/v1/namespaces', { metadata: { name: 'n' } })
  const refused = await api.send('DELETE', '/api/v1/namespaces/n', { preconditions: { uid: 'x' } })
  assert.equal(refused.status, 409)
  assert.match(refused.object.message, /^Operation cannot be fulfilled on namespaces "n": Precondition failed: UID/)
})

test('status is written through its own endpoint only', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  const created = (await api.send('POST', DEPLOYMENTS, { ...deployment(), status: { replicas: 9 } })).object
  assert.equal(created.status.replicas, undefined)
  const next = { ...structuredClone(created), status: { replicas: 3 } }
  next.spec.replicas = 7
  const viaStatus = (await api.send('PUT', `${DEPLOYMENTS}/web/status`, structuredClone(next))).object
  assert.equal(viaStatus.status.replicas, 3)
  assert.equal(viaStatus.spec.replicas, 2)
  assert.equal(viaStatus.metadata.generation, 1)
  next.metadata.resourceVersion = viaStatus.metadata.resourceVersion
  next.status = {}
  const viaMain = (await api.send('PUT', `${DEPLOYMENTS}/web`, next)).object
  assert.equal(viaMain.status.replicas, 3)
  assert.equal(viaMain.spec.replicas, 7)
  assert.equal(viaMain.metadata.generation, 2)
})

const refused: [string, string, unknown, Record<string, string>, number, RegExp][] = [
  [
    'an unknown field, strictly',
    DEPLOYMENTS,
    deployment({ nope: 1 }),
    { fieldValidation: 'Strict' },
    400,
    /^Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.nope"$/,
  ],
  [
    'a mistyped field',
    DEPLOYMENTS,
    deployment({ replicas: 'two' }),
    {},
    400,
    /json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32/,
  ],
  [
    'a bad name',
    MAPS,
    configMap('A_b'),
    {},
    422,
    /^ConfigMap "A_b" is invalid: metadata.name: Invalid value: "A_b": a lowercase RFC 1123 subdomain/,
  ],
  [
    'a bad label',
    MAPS,
    configMap('a', {}, { labels: { 'a b': 'c' } }),
    {},
    422,
    /metadata.labels: Invalid value: "a b"/,
  ],
  [
    'no name',
    MAPS,
    { apiVersion: 'v1', kind: 'ConfigMap' },
    {},
    422,
    /metadata.name: Required value: name or generateName is required/,
  ],
  [
    'another namespace',
    MAPS,
    configMap('a', {}, { namespace: 'other' }),
    {},
    400,
    /the namespace of the provided object does not match the namespace sent on the request/,
  ],
  [
    'another version',
    MAPS,
    { ...configMap('a'), apiVersion: 'v2' },
    {},
    400,
    /ConfigMap in version "v2" cannot be handled as a ConfigMap: no kind "ConfigMap" is registered for version "v2"/,
  ],
  [
    'another kind',
    MAPS,
    { ...configMap('a'), kind: 'Secret' },
    {},
    400,
    /Secret in version "v1" cannot be handled as a ConfigMap/,
  ],
  ['no object', MAPS, [1], {}, 400, /cannot unmarshal array into Go value/],
  [
    'a bad dryRun',
    MAPS,
    configMap('a'),
    { dryRun: 'Some' },
    422,
    /dryRun: Unsupported value: \["Some"\]: supported values: "All"/,
  ],
  [
    'a kind that nobody serves',
    '/apis/nope/v1/things',
    {},
    {},
    404,
    /the server could not find the requested resource/,
  ],
]
for (const [what, path, body, query, status, message] of refused) {
  test(`create refuses ${what}`, async t => {
    const api = await startApi()
    t.after(() => api.server.close())
    const answer = await api.send('POST', path, body, query)
    assert.equal(answer.status, status)
    assert.match(answer.object.message, message)
    assert.equal(api.store.revision(), 0)
  })
}

test('create with unknown fields warns, and drops them', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  const { status, object, warnings } = await api.send('POST', DEPLOYMENTS, deployment({ nope: 1 }), {
    fieldValidation: 'Warn',
  })
  assert.equal(status, 201)
  assert.deepEqual(warnings, ['unknown field "spec.nope"'])
  assert.equal(object.spec.nope, undefined)
})

test('admission changes, refuses, and is asked about deletes', async t => {
  const asked: string[] = []
  const api = await startApi({
    admission: [
      {
        name: 'Test',
        handles: () => true,
        mutate({ operation, object }) {
          asked.push(operation)
          const meta = object?.metadata
          if (meta) meta.labels = { ...meta.labels, seen: 'yes' }
        },
      },
    ],
  })
  t.after(() => api.server.close())
  const { object } = await api.send('POST', MAPS, configMap('a'))
  assert.equal(object.metadata.labels.seen, 'yes')
  await api.send('DELETE', `${MAPS}/a`)
  assert.deepEqual(asked, ['CREATE', 'DELETE'])
})

test('hooks give back what they took when the write fails', async t => {
  const log: string[] = []
  const api = await startApi({
    hooks: new Map([
      [
        'v1/configmaps',
        {
          beforeCreate: () => void log.push('take'),
          onFailure: () => void log.push('release'),
          afterDelete: () => void log.push('deleted'),
        },
      ],
    ]),
  })
  t.after(() => api.server.close())
  await api.send('POST', MAPS, configMap('a'))
  await api.send('POST', MAPS, configMap('a'))
  await api.send('DELETE', `${MAPS}/a`)
  assert.deepEqual(log, ['take', 'take', 'release', 'deleted'])
})

test('events of both groups are one and the same', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  const path = '/api/v1/namespaces/default/events'
  const event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'e' },
    involvedObject: { kind: 'Pod', namespace: 'default', name: 'p' },
    reason: 'Started',
    message: 'a message',
    type: 'Normal',
    source: { component: 'test' },
  }
  const created = await api.send('POST', path, event)
  assert.equal(created.status, 201, created.object.message)
  const { object } = await api.get('/apis/events.k8s.io/v1/namespaces/default/events/e')
  assert.equal(object.apiVersion, 'events.k8s.io/v1')
  assert.equal(object.note, 'a message')
  assert.equal(object.regarding.name, 'p')
  const watch = await api.transport({ method: 'GET', path: '/apis/events.k8s.io/v1/events', query: { watch: '1' } })
  await settled()
  for await (const batch of watch.events!) {
    assert.equal((batch[0]!.object as Loose).note, 'a message')
    break
  }
})
