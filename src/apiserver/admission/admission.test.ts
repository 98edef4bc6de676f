import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADMIN, account, pod, startServer } from '../bootstrap/server.fixture.ts'

const PODS = '/api/v1/namespaces/default/pods'
const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount'

test('ServiceAccount gives a pod its account, the token at the usual place and the pull secrets', async () => {
  const { server, send } = await startServer()
  await send(ADMIN, 'POST', '/api/v1/namespaces/default/serviceaccounts', {
    ...account('web'),
    imagePullSecrets: [{ name: 'registry' }],
  })
  const containers = [
    { name: 'a', image: 'host' },
    { name: 'b', image: 'host', volumeMounts: [{ name: 'own', mountPath: TOKEN_PATH }] },
  ]
  const volumes = [{ name: 'own', emptyDir: {} }]
  const { object } = await send(ADMIN, 'POST', PODS, pod('p', { serviceAccountName: 'web', containers, volumes }))
  const [a, b] = object.spec.containers
  assert.match(a.volumeMounts[0].name, /^kube-api-access-[a-z0-9]{5}$/)
  assert.deepEqual([a.volumeMounts[0].mountPath, a.volumeMounts[0].readOnly], [TOKEN_PATH, true])
  assert.equal(b.volumeMounts.length, 1)
  const volume = object.spec.volumes.find((each: { name: string }) => each.name === a.volumeMounts[0].name)
  assert.equal(volume.projected.sources[0].serviceAccountToken.expirationSeconds, 3607)
  assert.deepEqual(object.spec.imagePullSecrets, [{ name: 'registry' }])
  const without = await send(ADMIN, 'POST', PODS, pod('q', { automountServiceAccountToken: false }))
  assert.equal(without.object.spec.volumes, undefined)
  assert.equal(without.object.spec.serviceAccountName, 'default')
  await server.close()
})

test('ServiceAccount refuses an account that is missing, and waits a moment for the default one', async () => {
  const { server, clock, send } = await startServer()
  const missing = await send(ADMIN, 'POST', PODS, pod('p', { serviceAccountName: 'no' }))
  assert.equal(missing.status, 403)
  assert.equal(
    missing.object.message,
    'pods "p" is forbidden: error looking up service account default/no: serviceaccount "no" not found',
  )
  const inPublic = { ...pod('p'), metadata: { name: 'p', namespace: 'kube-public' } }
  const early = send(ADMIN, 'POST', '/api/v1/namespaces/kube-public/pods', inPublic)
  await clock.advance(100)
  await send(ADMIN, 'POST', '/api/v1/namespaces/kube-public/serviceaccounts', account('default', 'kube-public'))
  assert.equal((await early).status, 201)
  const late = send(ADMIN, 'POST', '/api/v1/namespaces/kube-system/pods', {
    ...inPublic,
    metadata: { name: 'p', namespace: 'kube-system' },
  })
  await clock.advance(2000)
  assert.equal((await late).status, 403)
  await server.close()
})

test('NamespaceLifecycle keeps namespaces that are missing, ending or immortal', async () => {
  const { server, send } = await startServer()
  const map = (namespace: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm', namespace } })
  const maps = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps`
  const missing = await send(ADMIN, 'POST', maps('no'), map('no'))
  assert.deepEqual([missing.status, missing.object.message], [404, 'namespaces "no" not found'])
  const stray = { ...pod('p'), metadata: { name: 'p', namespace: 'no' } }
  const noPod = await send(ADMIN, 'POST', '/api/v1/namespaces/no/pods', stray)
  assert.deepEqual([noPod.status, noPod.object.message], [404, 'namespaces "no" not found'])
  await send(ADMIN, 'POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'x' } })
  assert.equal((await send(ADMIN, 'POST', maps('x'), map('x'))).status, 201)
  await send(ADMIN, 'DELETE', '/api/v1/namespaces/x')
  const ending = await send(ADMIN, 'POST', maps('x'), { ...map('x'), metadata: { name: 'n', namespace: 'x' } })
  assert.equal(ending.status, 403, JSON.stringify(ending.object))
  assert.equal(
    ending.object.message,
    'configmaps "n" is forbidden: unable to create new content in namespace x because it is being terminated',
  )
  assert.equal(ending.object.details.causes[0].reason, 'NamespaceTerminating')
  for (const name of ['default', 'kube-system', 'kube-public']) {
    const kept = await send(ADMIN, 'DELETE', `/api/v1/namespaces/${name}`)
    assert.deepEqual(
      [kept.status, kept.object.message],
      [403, `namespaces "${name}" is forbidden: this namespace may not be deleted`],
    )
  }
  await server.close()
})

test('namespaces/finalize lets an ending namespace go', async () => {
  const { server, send } = await startServer()
  const path = '/api/v1/namespaces/x'
  await send(ADMIN, 'POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'x' } })
  await send(ADMIN, 'DELETE', path)
  const { object } = await send(ADMIN, 'GET', path)
  assert.deepEqual(object.spec.finalizers, ['kubernetes'])
  const done = await send(ADMIN, 'PUT', `${path}/finalize`, { ...object, spec: {} })
  assert.equal(done.status, 200, JSON.stringify(done.object))
  assert.equal((await send(ADMIN, 'GET', path)).status, 404)
  await server.close()
})

test('Priority turns a class into a number, and DefaultTolerationSeconds adds five minutes', async () => {
  const { server, send } = await startServer()
  const classes = '/apis/scheduling.k8s.io/v1/priorityclasses'
  const priorityClass = (name: string, more: object) => ({
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name },
    ...more,
  })
  const none = (await send(ADMIN, 'POST', PODS, pod('a'))).object.spec
  assert.deepEqual([none.priority, none.preemptionPolicy], [0, 'PreemptLowerPriority'])
  assert.deepEqual(
    none.tolerations.map((each: { key: string; tolerationSeconds: number }) => [each.key, each.tolerationSeconds]),
    [
      ['node.kubernetes.io/not-ready', 300],
      ['node.kubernetes.io/unreachable', 300],
    ],
  )
  await send(ADMIN, 'POST', classes, priorityClass('usual', { value: 7, globalDefault: true }))
  const other = await send(ADMIN, 'POST', classes, priorityClass('other', { value: 8, globalDefault: true }))
  assert.match(other.object.message, /PriorityClass usual is already marked as default. Only one default can exist/)
  const usual = (await send(ADMIN, 'POST', PODS, pod('b', { tolerations: [{ operator: 'Exists' }] }))).object.spec
  assert.deepEqual([usual.priority, usual.priorityClassName, usual.tolerations.length], [7, 'usual', 1])
  const cases: [object, RegExp][] = [
    [{ priorityClassName: 'no' }, /pods "c" is forbidden: no PriorityClass with name no was found/],
    [
      { priority: 5 },
      /the integer value of priority \(5\) must not be provided in pod spec; priority admission controller computed 7/,
    ],
  ]
  for (const [spec, message] of cases) {
    const reply = await send(ADMIN, 'POST', PODS, pod('c', spec))
    assert.equal(reply.status, 403)
    assert.match(reply.object.message, message)
  }
  await server.close()
})

test('RuntimeClass refuses what is not there, and gives overhead and scheduling', async () => {
  const { server, send } = await startServer()
  const missing = await send(ADMIN, 'POST', PODS, pod('a', { runtimeClassName: 'no' }))
  assert.equal(missing.object.message, 'pods "a" is forbidden: pod rejected: RuntimeClass "no" not found')
  for (const name of ['process', 'containers', 'simulated'])
    assert.equal((await send(ADMIN, 'POST', PODS, pod(name, { runtimeClassName: name }))).status, 201)
  await send(ADMIN, 'POST', '/apis/node.k8s.io/v1/runtimeclasses', {
    apiVersion: 'node.k8s.io/v1',
    kind: 'RuntimeClass',
    metadata: { name: 'vm' },
    handler: 'vm',
    overhead: { podFixed: { memory: '64Mi' } },
    scheduling: { nodeSelector: { vm: 'yes' }, tolerations: [{ key: 'vm', operator: 'Exists' }] },
  })
  const { spec } = (await send(ADMIN, 'POST', PODS, pod('b', { runtimeClassName: 'vm', nodeSelector: { a: 'b' } })))
    .object
  assert.deepEqual([spec.overhead, spec.nodeSelector], [{ memory: '64Mi' }, { a: 'b', vm: 'yes' }])
  assert.ok(spec.tolerations.some((each: { key: string }) => each.key === 'vm'))
  const clash = await send(ADMIN, 'POST', PODS, pod('c', { runtimeClassName: 'vm', nodeSelector: { vm: 'no' } }))
  assert.match(
    clash.object.message,
    /conflict: runtimeClass.scheduling.nodeSelector\[vm\] = yes; pod.spec.nodeSelector\[vm\] = no/,
  )
  const extra = await send(ADMIN, 'POST', PODS, pod('d', { overhead: { memory: '1Gi' } }))
  assert.match(extra.object.message, /Pod Overhead set without corresponding RuntimeClass defined Overhead/)
  await server.close()
})

test('TaintNodesByCondition marks a new node as not ready, once', async () => {
  const { server, send } = await startServer()
  const node = (name: string, taints?: object[]) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    spec: { ...(taints && { taints }) },
  })
  const taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }
  for (const body of [node('a'), node('b', [taint])])
    assert.deepEqual((await send(ADMIN, 'POST', '/api/v1/nodes', body)).object.spec.taints, [taint])
  await server.close()
})
