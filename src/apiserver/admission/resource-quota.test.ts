import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADMIN, pod, startServer, type TestServer } from '../bootstrap/server.fixture.ts'

const PODS = '/api/v1/namespaces/default/pods'
const MAPS = '/api/v1/namespaces/default/configmaps'
const QUOTAS = '/api/v1/namespaces/default/resourcequotas'

const quota = (name: string, hard: object, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name, namespace: 'default' },
  spec: { hard, ...more },
})
const map = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' } })
const sized = (name: string, requests: object, limits: object = {}, spec: object = {}) =>
  pod(name, { containers: [{ name: 'main', image: 'host', resources: { requests, limits } }], ...spec })

/** Lets what follows from a write happen. */
async function rest({ clock }: TestServer) {
  for (let turn = 0; turn < 5; turn++) await clock.advance(20)
}
const used = async (api: TestServer, name = 'q') => {
  await rest(api)
  return (await api.send(ADMIN, 'GET', `${QUOTAS}/${name}`)).object.status.used
}

test('ResourceQuota counts what is there, refuses what is too much, and gives back what goes', async () => {
  const api = await startServer()
  const { send } = api
  await send(ADMIN, 'POST', PODS, sized('old', { cpu: '500m' }))
  await send(ADMIN, 'POST', QUOTAS, quota('q', { pods: '3', 'requests.cpu': '1', 'limits.memory': '1Gi' }))
  assert.deepEqual(await used(api), { pods: '1', 'requests.cpu': '500m', 'limits.memory': '0' })
  const silent = await send(ADMIN, 'POST', PODS, pod('silent'))
  assert.equal(
    silent.object.message,
    'pods "silent" is forbidden: failed quota: q: must specify limits.memory for: main; requests.cpu for: main',
  )
  const big = await send(ADMIN, 'POST', PODS, sized('big', { cpu: '600m' }, { memory: '2Gi' }))
  assert.deepEqual(
    [big.status, big.object.message],
    [
      403,
      'pods "big" is forbidden: exceeded quota: q, requested: limits.memory=2Gi,requests.cpu=600m, used: limits.memory=0,requests.cpu=500m, limited: limits.memory=1Gi,requests.cpu=1',
    ],
  )
  const fits = sized('fits', { cpu: '500m' }, { memory: '1Gi' })
  assert.equal((await send(ADMIN, 'POST', PODS, fits)).status, 201)
  assert.deepEqual(await used(api), { pods: '2', 'requests.cpu': '1', 'limits.memory': '1Gi' })
  await send(ADMIN, 'DELETE', `${PODS}/fits`, undefined, { query: { gracePeriodSeconds: '0' } })
  assert.deepEqual(await used(api), { pods: '1', 'requests.cpu': '500m', 'limits.memory': '0' })
  const done = await send(ADMIN, 'GET', `${PODS}/old`)
  await send(ADMIN, 'PUT', `${PODS}/old/status`, { ...done.object, status: { phase: 'Succeeded' } })
  assert.deepEqual(await used(api), { pods: '0', 'requests.cpu': '0', 'limits.memory': '0' })
  await api.server.close()
})

test('ResourceQuota of 10 lets 10 of 100 through that come at once, and 10 again while others go', async () => {
  const api = await startServer()
  const { send } = api
  await send(ADMIN, 'POST', QUOTAS, quota('q', { 'count/configmaps': '10' }))
  const round = async (prefix: string) => {
    const replies = await Promise.all(
      Array.from({ length: 100 }, (_, at) => send(ADMIN, 'POST', MAPS, map(`${prefix}${at}`))),
    )
    return replies.filter(each => each.status === 201).map(each => each.object.metadata.name as string)
  }
  const first = await round('a')
  assert.equal(first.length, 10)
  assert.deepEqual(await used(api), { 'count/configmaps': '10' })
  const [gone] = await Promise.all([
    Promise.all(first.slice(0, 5).map(name => send(ADMIN, 'DELETE', `${MAPS}/${name}`))),
    round('b'),
    rest(api),
  ])
  assert.equal(gone.length, 5)
  await used(api)
  await round('c')
  assert.deepEqual(await used(api), { 'count/configmaps': '10' })
  assert.equal((await send(ADMIN, 'GET', MAPS)).object.items.length, 10)
  await api.server.close()
})

test('ResourceQuota is not charged for writes that fail, nor for dry runs', async () => {
  const api = await startServer()
  const { send } = api
  await send(ADMIN, 'POST', QUOTAS, quota('q', { configmaps: '3' }))
  await send(ADMIN, 'POST', MAPS, map('m'))
  for (let attempt = 0; attempt < 5; attempt++)
    assert.equal((await send(ADMIN, 'POST', MAPS, map('m'))).status, attempt < 5 ? 409 : 0)
  assert.deepEqual(await used(api), { configmaps: '1' })
  for (const name of ['x', 'y', 'z']) await send(ADMIN, 'POST', MAPS, map(name), { query: { dryRun: 'All' } })
  assert.deepEqual(await used(api), { configmaps: '1' })
  await api.server.close()
})

test('ResourceQuota with scopes counts only what is in them', async () => {
  const api = await startServer()
  const { send } = api
  const scope = (scopeName: string, operator: string, values?: string[]) => ({
    scopeSelector: { matchExpressions: [{ scopeName, operator, ...(values && { values }) }] },
  })
  const classes = '/apis/scheduling.k8s.io/v1/priorityclasses'
  const high = { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'high' }, value: 9 }
  await send(ADMIN, 'POST', classes, high)
  await send(ADMIN, 'POST', QUOTAS, quota('ending', { pods: '5' }, { scopes: ['Terminating'] }))
  await send(ADMIN, 'POST', QUOTAS, quota('lasting', { pods: '5' }, { scopes: ['NotTerminating'] }))
  await send(ADMIN, 'POST', QUOTAS, quota('best', { pods: '5' }, { scopes: ['BestEffort'] }))
  await send(ADMIN, 'POST', QUOTAS, quota('high', { pods: '1' }, scope('PriorityClass', 'In', ['high'])))
  await rest(api)
  await send(ADMIN, 'POST', PODS, pod('a', { activeDeadlineSeconds: 100 }))
  await send(ADMIN, 'POST', PODS, sized('b', { cpu: '1' }, {}, { priorityClassName: 'high' }))
  const third = await send(ADMIN, 'POST', PODS, sized('c', { cpu: '1' }, {}, { priorityClassName: 'high' }))
  assert.equal(
    third.object.message,
    'pods "c" is forbidden: exceeded quota: high, requested: pods=1, used: pods=1, limited: pods=1',
  )
  const counts = await Promise.all(
    ['ending', 'lasting', 'best', 'high'].map(async name => (await used(api, name)).pods),
  )
  assert.deepEqual(counts, ['1', '1', '1', '1'])
  await api.server.close()
})

test('ResourceQuota counts services, claims and extended resources', async () => {
  const api = await startServer()
  const { send } = api
  const hard = {
    services: '2',
    'services.nodeports': '1',
    'requests.storage': '10Gi',
    'gold.storageclass.storage.k8s.io/persistentvolumeclaims': '1',
    'requests.example.com/gpu': '2',
  }
  await send(ADMIN, 'POST', QUOTAS, quota('q', hard))
  await rest(api)
  const service = (name: string, type: string) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec: { type, ports: [{ port: 80 }] },
  })
  const claim = (name: string, storage: string) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: 'default' },
    spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'gold', resources: { requests: { storage } } },
  })
  const services = '/api/v1/namespaces/default/services'
  const claims = '/api/v1/namespaces/default/persistentvolumeclaims'
  await send(ADMIN, 'POST', services, service('a', 'NodePort'))
  assert.match((await send(ADMIN, 'POST', services, service('b', 'NodePort'))).object.message, /services.nodeports=1/)
  assert.equal((await send(ADMIN, 'POST', services, service('b', 'ClusterIP'))).status, 201)
  assert.equal((await send(ADMIN, 'POST', claims, claim('a', '4Gi'))).status, 201)
  assert.match(
    (await send(ADMIN, 'POST', claims, claim('b', '4Gi'))).object.message,
    /exceeded quota: q, requested: gold/,
  )
  const gpu = { 'example.com/gpu': '2' }
  assert.equal((await send(ADMIN, 'POST', PODS, sized('g', gpu, gpu))).status, 201)
  assert.deepEqual(await used(api), {
    services: '2',
    'services.nodeports': '1',
    'requests.storage': '4Gi',
    'gold.storageclass.storage.k8s.io/persistentvolumeclaims': '1',
    'requests.example.com/gpu': '2',
  })
  await send(ADMIN, 'PUT', `${services}/a`, {
    ...(await send(ADMIN, 'GET', `${services}/a`)).object,
    spec: { type: 'ClusterIP', ports: [{ port: 80 }] },
  })
  assert.equal((await used(api))['services.nodeports'], '0')
  await api.server.close()
})

test('ResourceQuota puts right a status that others wrote', async () => {
  const api = await startServer()
  await api.send(ADMIN, 'POST', QUOTAS, quota('q', { configmaps: '3' }))
  await rest(api)
  const patch = { status: { hard: { configmaps: '30' } } }
  const merge = { contentType: 'application/merge-patch+json' }
  const patched = await api.send(ADMIN, 'PATCH', `${QUOTAS}/q/status`, patch, merge)
  assert.deepEqual(patched.object.status.hard, { configmaps: '30' })
  await rest(api)
  const { object } = await api.send(ADMIN, 'GET', `${QUOTAS}/q`)
  assert.deepEqual(object.status, { hard: { configmaps: '3' }, used: { configmaps: '0' } })
  await api.server.close()
})

test('ResourceQuota counts custom resources, which a definition brings later', async () => {
  const api = await startServer()
  const { send } = api
  await send(ADMIN, 'POST', QUOTAS, quota('q', { 'count/things.example.com': '2' }))
  await rest(api)
  await send(ADMIN, 'POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'things', singular: 'thing', kind: 'Thing' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  })
  await rest(api)
  const path = '/apis/example.com/v1/namespaces/default/things'
  const create = (name: string) =>
    send(ADMIN, 'POST', path, { apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name, namespace: 'default' } })
  const replies = await Promise.all(['a', 'b', 'c', 'd'].map(create))
  assert.deepEqual(replies.map(({ status }) => status).sort(), [201, 201, 403, 403])
  const kept = replies.find(({ status }) => status === 201)!.object.metadata.name
  await send(ADMIN, 'DELETE', `${path}/${kept}`)
  assert.deepEqual(await used(api), { 'count/things.example.com': '1' })
  assert.equal((await create('e')).status, 201)
  await api.server.close()
})
