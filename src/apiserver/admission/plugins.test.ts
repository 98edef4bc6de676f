import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADMIN, person, pod, startServer } from '../bootstrap/server.fixture.ts'
import { csr, pkcs10 } from './certificate-request.fixture.ts'

const PODS = '/api/v1/namespaces/default/pods'
const CLAIMS = '/api/v1/namespaces/default/persistentvolumeclaims'
const CLASSES = '/apis/storage.k8s.io/v1/storageclasses'
const SERVICES = '/api/v1/namespaces/default/services'
const REQUESTS = '/apis/certificates.k8s.io/v1/certificatesigningrequests'

const storageClass = (name: string, isDefault: boolean, more: object = {}) => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name, annotations: { 'storageclass.kubernetes.io/is-default-class': String(isDefault) } },
  provisioner: 'example.com/disk',
  ...more,
})
const claim = (name: string, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, namespace: 'default' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
})
const withAdmission = (...enable: string[]) => startServer({ extensions: { admission: { enable } } })

test('DefaultStorageClass gives a claim the newest default class, unless it wants none', async () => {
  const { server, clock, send } = await startServer()
  assert.equal((await send(ADMIN, 'POST', CLAIMS, claim('none'))).object.spec.storageClassName, undefined)
  await send(ADMIN, 'POST', CLASSES, storageClass('old', true))
  await clock.advance(2000)
  await send(ADMIN, 'POST', CLASSES, storageClass('new', true))
  await send(ADMIN, 'POST', CLASSES, storageClass('other', false))
  assert.equal((await send(ADMIN, 'POST', CLAIMS, claim('a'))).object.spec.storageClassName, 'new')
  const empty = await send(ADMIN, 'POST', CLAIMS, claim('b', { storageClassName: '' }))
  assert.equal(empty.object.spec.storageClassName, '')
  await server.close()
})

test('StorageObjectInUseProtection marks claims, and PersistentVolumeClaimResize lets only those of such a class grow', async () => {
  const { server, send } = await startServer()
  await send(ADMIN, 'POST', CLASSES, storageClass('grows', false, { allowVolumeExpansion: true }))
  await send(ADMIN, 'POST', CLASSES, storageClass('stays', false))
  const grow = async (name: string) => {
    const object = structuredClone((await send(ADMIN, 'GET', `${CLAIMS}/${name}`)).object)
    object.spec.resources.requests.storage = '2Gi'
    return send(ADMIN, 'PUT', `${CLAIMS}/${name}`, object)
  }
  const bind = async (name: string) => {
    const { object } = await send(ADMIN, 'GET', `${CLAIMS}/${name}`)
    await send(ADMIN, 'PUT', `${CLAIMS}/${name}/status`, { ...object, status: { phase: 'Bound' } })
  }
  for (const name of ['grows', 'stays']) {
    const made = await send(ADMIN, 'POST', CLAIMS, claim(name, { storageClassName: name, volumeName: `v-${name}` }))
    assert.deepEqual(made.object.metadata.finalizers, ['kubernetes.io/pvc-protection'])
  }
  await bind('grows')
  await bind('stays')
  assert.equal((await grow('grows')).status, 200)
  assert.equal(
    (await grow('stays')).object.message,
    'persistentvolumeclaims "stays" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
  )
  await server.close()
})

test('DefaultIngressClass gives an ingress the default class', async () => {
  const { server, send } = await startServer()
  await send(ADMIN, 'POST', '/apis/networking.k8s.io/v1/ingressclasses', {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'usual', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
    spec: { controller: 'example.com/ingress' },
  })
  const ingress = (name: string, spec: object) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: 'default' },
    spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } }, ...spec },
  })
  const path = '/apis/networking.k8s.io/v1/namespaces/default/ingresses'
  assert.equal((await send(ADMIN, 'POST', path, ingress('a', {}))).object.spec.ingressClassName, 'usual')
  const own = await send(ADMIN, 'POST', path, ingress('b', { ingressClassName: 'own' }))
  assert.equal(own.object.spec.ingressClassName, 'own')
  await server.close()
})

test('PodTopologyLabels gives a pod the zone of its node when it is bound', async () => {
  const { server, send } = await startServer()
  const labels = { 'topology.kubernetes.io/zone': 'z', 'topology.kubernetes.io/region': 'r', other: 'x' }
  await send(ADMIN, 'POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n', labels } })
  await send(ADMIN, 'POST', PODS, pod('p'))
  const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'p' }, target: { kind: 'Node', name: 'n' } }
  assert.equal((await send(ADMIN, 'POST', `${PODS}/p/binding`, binding)).status, 201)
  const { other: _, ...expected } = labels
  assert.deepEqual((await send(ADMIN, 'GET', `${PODS}/p`)).object.metadata.labels, expected)
  const fixed = await send(ADMIN, 'POST', PODS, pod('q', { nodeName: 'n' }))
  assert.deepEqual(fixed.object.metadata.labels, expected)
  await server.close()
})

test('certificate plugins ask whether the user may act for the signer', async () => {
  const { server, send } = await startServer()
  const signer = 'example.com/serving'
  await send(ADMIN, 'POST', '/apis/rbac.authorization.k8s.io/v1/clusterroles', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'writes-requests' },
    rules: [
      {
        apiGroups: ['certificates.k8s.io'],
        resources: [
          'certificatesigningrequests',
          'certificatesigningrequests/approval',
          'certificatesigningrequests/status',
        ],
        verbs: ['*'],
      },
    ],
  })
  await send(ADMIN, 'POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'writes-requests' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'writes-requests' },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'carl' }],
  })
  const request = await pkcs10({ subject: [{ CN: ['carl'] }, { O: ['system:masters'] }] })
  const body = (name: string, signerName: string) => csr(name, request, signerName, ['client auth'])
  const carl = person('carl')
  const master = await send(carl, 'POST', REQUESTS, body('m', 'kubernetes.io/kube-apiserver-client'))
  assert.equal(
    master.object.message,
    'certificatesigningrequests.certificates.k8s.io "m" is forbidden: use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
  )
  const { object } = await send(carl, 'POST', REQUESTS, body('r', signer))
  const condition = { type: 'Approved', status: 'True', reason: 'R', message: 'm' }
  const approval = { ...object, status: { conditions: [condition] } }
  const refused = await send(carl, 'PUT', `${REQUESTS}/r/approval`, approval)
  assert.equal(
    refused.object.message,
    'certificatesigningrequests.certificates.k8s.io "r" is forbidden: user not permitted to approve requests with signerName "example.com/serving"',
  )
  assert.equal((await send(ADMIN, 'PUT', `${REQUESTS}/r/approval`, approval)).status, 200)
  const approved = (await send(ADMIN, 'GET', `${REQUESTS}/r`)).object
  const failed = { type: 'Failed', status: 'True', reason: 'R', message: 'm' }
  const signing = { ...approved, status: { ...approved.status, conditions: [...approved.status.conditions, failed] } }
  const unsigned = await send(carl, 'PUT', `${REQUESTS}/r/status`, signing)
  assert.match(unsigned.object.message, /user not permitted to sign requests with signerName "example.com\/serving"/)
  await server.close()
})

test('plugins that are off do nothing before they are switched on', async () => {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's', namespace: 'default' },
    spec: { ports: [{ port: 80 }], externalIPs: ['1.2.3.4'] },
  }
  const off = await startServer()
  assert.equal((await off.send(ADMIN, 'POST', SERVICES, service)).status, 201)
  await off.server.close()
  const on = await withAdmission('DenyServiceExternalIPs', 'AlwaysPullImages', 'ExtendedResourceToleration')
  const denied = await on.send(ADMIN, 'POST', SERVICES, service)
  assert.equal(denied.object.message, 'services "s" is forbidden: Use of external IPs is denied by admission control')
  const gpu = { 'example.com/gpu': '1' }
  const container = { name: 'main', image: 'host', resources: { requests: gpu, limits: gpu } }
  const { object } = await on.send(ADMIN, 'POST', PODS, pod('p', { containers: [container] }))
  assert.equal(object.spec.containers[0].imagePullPolicy, 'Always')
  assert.ok(object.spec.tolerations.some((each: { key: string }) => each.key === 'example.com/gpu'))
  await on.server.close()
})

test('OwnerReferencesPermissionEnforcement asks for the right to delete, and to set finalizers on the owner', async () => {
  const { server, send } = await withAdmission('OwnerReferencesPermissionEnforcement')
  const role = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'maps', namespace: 'default' },
    rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'update', 'get'] }],
  }
  const namespaced = '/apis/rbac.authorization.k8s.io/v1/namespaces/default'
  await send(ADMIN, 'POST', `${namespaced}/roles`, role)
  await send(ADMIN, 'POST', `${namespaced}/rolebindings`, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'maps', namespace: 'default' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'maps' },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'olga' }],
  })
  const map = (name: string, blockOwnerDeletion?: boolean) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      namespace: 'default',
      ...(blockOwnerDeletion !== undefined && {
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'd', uid: 'u', blockOwnerDeletion }],
      }),
    },
  })
  const maps = '/api/v1/namespaces/default/configmaps'
  const olga = person('olga')
  assert.equal((await send(olga, 'POST', maps, map('a', false))).status, 201)
  const blocking = await send(olga, 'POST', maps, map('b', true))
  assert.match(
    blocking.object.message,
    /^configmaps "b" is forbidden: cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: /,
  )
  assert.equal((await send(olga, 'POST', maps, map('c'))).status, 201)
  const late = await send(olga, 'PUT', `${maps}/c`, map('c', false))
  assert.match(
    late.object.message,
    /^configmaps "c" is forbidden: cannot set an ownerRef on a resource you can't delete: /,
  )
  assert.equal((await send(ADMIN, 'POST', maps, map('d', true))).status, 201)
  await server.close()
})

test('PodNodeSelector sends the pods of a namespace to its nodes', async () => {
  const { server, send } = await withAdmission('PodNodeSelector')
  const annotations = { 'scheduler.alpha.kubernetes.io/node-selector': 'env=test' }
  await send(
    ADMIN,
    'PATCH',
    '/api/v1/namespaces/default',
    { metadata: { annotations } },
    {
      contentType: 'application/merge-patch+json',
    },
  )
  const made = await send(ADMIN, 'POST', PODS, pod('p', { nodeSelector: { a: 'b' } }))
  assert.deepEqual(made.object.spec.nodeSelector, { env: 'test', a: 'b' })
  const clash = await send(ADMIN, 'POST', PODS, pod('q', { nodeSelector: { env: 'other' } }))
  assert.equal(
    clash.object.message,
    'pods "q" is forbidden: pod node label selector conflicts with its namespace node label selector',
  )
  await server.close()
})

test('NamespaceAutoProvision makes the namespace that a new object needs, and NamespaceExists wants one', async () => {
  const map = (namespace: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm', namespace } })
  const maps = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps`
  const { server, send } = await withAdmission('NamespaceAutoProvision')
  const dry = await send(ADMIN, 'POST', maps('new'), map('new'), { query: { dryRun: 'All' } })
  assert.equal(dry.status, 404)
  const replies = await Promise.all([1, 2].map(() => send(ADMIN, 'POST', maps('new'), map('new'))))
  assert.deepEqual(replies.map(({ status }) => status).sort(), [201, 409])
  assert.equal((await send(ADMIN, 'GET', '/api/v1/namespaces/new')).object.status.phase, 'Active')
  await server.close()
  const admission = { enable: ['NamespaceExists'], disable: ['NamespaceLifecycle'] }
  const other = await startServer({ extensions: { admission } })
  const missing = await other.send(ADMIN, 'POST', maps('no'), map('no'))
  assert.deepEqual([missing.status, missing.object.message], [404, 'namespaces "no" not found'])
  await other.server.close()
})

test('admission options refuse plugins that do not exist, contradict themselves or are not built', async () => {
  const cases: [object, RegExp][] = [
    [{ enable: ['Nonsense'] }, /admission plugin "Nonsense" is unknown/],
    [{ enable: ['AlwaysAdmit'], disable: ['AlwaysAdmit'] }, /"AlwaysAdmit" is both enabled and disabled/],
    [{ enable: ['ImagePolicyWebhook'] }, /"ImagePolicyWebhook" is not built yet/],
  ]
  for (const [admission, message] of cases)
    await assert.rejects(startServer({ extensions: { admission } }), { message })
})

test('PodResizeValidator refuses what the node of a pod could never give', async () => {
  const { server, send } = await startServer()
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } }
  await send(ADMIN, 'POST', '/api/v1/nodes', node)
  const patch = { contentType: 'application/merge-patch+json' }
  await send(ADMIN, 'PATCH', '/api/v1/nodes/n/status', { status: { allocatable: { cpu: '2', memory: '1Gi' } } }, patch)
  const made = pod('p')
  Object.assign(made.spec, { nodeName: 'n' })
  Object.assign(made.spec.containers[0]!, { resources: { requests: { cpu: '1', memory: '100Mi' } } })
  await send(ADMIN, 'POST', PODS, made)
  const resize = (requests: object) => {
    const spec = { containers: [{ name: made.spec.containers[0]!.name, resources: { requests } }] }
    const contentType = 'application/strategic-merge-patch+json'
    return send(ADMIN, 'PATCH', `${PODS}/p/resize`, { spec }, { contentType })
  }
  const refused = await resize({ cpu: '2500m', memory: '2Gi' })
  assert.equal(refused.status, 403)
  assert.match(
    refused.object.message,
    /node didn't have enough allocatable resources: cpu, requested: 2500, allocatable: 2000; memory, requested: 2147483648, allocatable: 1073741824$/,
  )
  assert.deepEqual(refused.object.details.causes, [{ reason: 'NodeCapacity' }])
  assert.equal((await resize({ cpu: '2' })).status, 200)
  await send(ADMIN, 'PATCH', '/api/v1/nodes/n', { metadata: { labels: { 'kubernetes.io/os': 'windows' } } }, patch)
  assert.match(
    (await resize({ cpu: '1' })).object.message,
    /pod resize is only supported on linux nodes, node "n" is "windows"/,
  )
  await server.close()
})
