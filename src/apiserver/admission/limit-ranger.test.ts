import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADMIN, pod, startServer } from '../bootstrap/server.fixture.ts'

const PODS = '/api/v1/namespaces/default/pods'
const RANGES = '/api/v1/namespaces/default/limitranges'
const CLAIMS = '/api/v1/namespaces/default/persistentvolumeclaims'

const range = (...limits: object[]) => ({
  apiVersion: 'v1',
  kind: 'LimitRange',
  metadata: { name: 'r', namespace: 'default' },
  spec: { limits },
})
const sized = (requests: object, limits: object, name = 'p') =>
  pod(name, { containers: [{ name: 'main', image: 'host', resources: { requests, limits } }] })

test('LimitRanger gives containers what they do not say, and notes that it did', async () => {
  const { server, send } = await startServer()
  const container = { type: 'Container', default: { cpu: '500m' }, defaultRequest: { cpu: '100m', memory: '10Mi' } }
  await send(ADMIN, 'POST', RANGES, range(container))
  const init = { name: 'first', image: 'host', resources: { requests: { cpu: '200m' } } }
  const main = { name: 'main', image: 'host' }
  const { object } = await send(ADMIN, 'POST', PODS, pod('p', { initContainers: [init], containers: [main] }))
  assert.deepEqual(object.spec.containers[0].resources, {
    limits: { cpu: '500m' },
    requests: { cpu: '100m', memory: '10Mi' },
  })
  assert.deepEqual(object.spec.initContainers[0].resources, {
    limits: { cpu: '500m' },
    requests: { cpu: '200m', memory: '10Mi' },
  })
  assert.equal(
    object.metadata.annotations['kubernetes.io/limit-ranger'],
    'LimitRanger plugin set: cpu, memory request for container main; cpu limit for container main; memory request for init container first; cpu limit for init container first',
  )
  await server.close()
})

test('LimitRanger refuses what is below, above or out of proportion', async () => {
  const cases: [object, ReturnType<typeof sized>, string | undefined][] = [
    [
      { type: 'Container', min: { cpu: '100m' } },
      sized({ cpu: '50m' }, {}),
      'minimum cpu usage per Container is 100m, but request is 50m',
    ],
    [
      { type: 'Pod', min: { cpu: '100m' } },
      sized({}, {}),
      'minimum cpu usage per Pod is 100m.  No request is specified',
    ],
    [
      { type: 'Pod', max: { cpu: '1' } },
      sized({ cpu: '1' }, {}),
      'maximum cpu usage per Pod is 1.  No limit is specified',
    ],
    [
      { type: 'Pod', max: { cpu: '1' } },
      sized({ cpu: '1' }, { cpu: '1500m' }),
      'maximum cpu usage per Pod is 1, but limit is 1500m',
    ],
    [
      { type: 'Container', max: { memory: '1Gi' } },
      sized({ memory: '2Gi' }, { memory: '2Gi' }),
      'maximum memory usage per Container is 1Gi, but limit is 2Gi',
    ],
    [
      { type: 'Container', maxLimitRequestRatio: { cpu: '2' } },
      sized({ cpu: '100m' }, { cpu: '300m' }),
      'cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000',
    ],
    [
      { type: 'Container', maxLimitRequestRatio: { cpu: '2' } },
      sized({}, {}),
      'cpu max limit to request ratio per Container is 2, but no request is specified or request is 0',
    ],
    [
      { type: 'Pod', max: { cpu: '1', memory: '1Gi' } },
      sized({ cpu: '2', memory: '2Gi' }, { cpu: '2', memory: '2Gi' }),
      '[maximum cpu usage per Pod is 1, but limit is 2, maximum memory usage per Pod is 1Gi, but limit is 2Gi]',
    ],
    [{ type: 'Container', min: { cpu: '100m' }, max: { cpu: '1' } }, sized({ cpu: '100m' }, { cpu: '1' }), undefined],
  ]
  for (const [item, body, reason] of cases) {
    const { server, send } = await startServer()
    assert.equal((await send(ADMIN, 'POST', RANGES, range(item))).status, 201)
    const { status, object } = await send(ADMIN, 'POST', PODS, body)
    if (reason) assert.deepEqual([status, object.message], [403, `pods "p" is forbidden: ${reason}`])
    else assert.equal(status, 201, object.message)
    await server.close()
  }
})

test('LimitRanger looks at claims too, and at no other object', async () => {
  const { server, send } = await startServer()
  await send(
    ADMIN,
    'POST',
    RANGES,
    range({ type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '5Gi' } }),
  )
  const claim = (storage: string) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'c', namespace: 'default' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
  })
  const big = await send(ADMIN, 'POST', CLAIMS, claim('10Gi'))
  assert.equal(
    big.object.message,
    'persistentvolumeclaims "c" is forbidden: maximum storage usage per PersistentVolumeClaim is 5Gi, but request is 10Gi',
  )
  assert.equal((await send(ADMIN, 'POST', CLAIMS, claim('1Mi'))).status, 403)
  assert.equal((await send(ADMIN, 'POST', CLAIMS, claim('2Gi'))).status, 201)
  assert.equal((await send(ADMIN, 'POST', PODS, pod('p'))).status, 201)
  await server.close()
})
