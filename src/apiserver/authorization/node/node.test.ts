import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADMIN, account, nodeUser, pod, startServer } from '../../bootstrap/server.fixture.ts'
import { onTheSpot } from '../authorizers.ts'

const onNode = (value: string) => ({
  requirements: [{ key: 'spec.nodeName', operator: 'In', values: [value] }],
})

/** A cluster with nodes n1 and n2, and a pod on each that needs a secret, a config map and a claim of its own. */
async function cluster() {
  const api = await startServer()
  const make = (path: string, body: object) => api.send(ADMIN, 'POST', path, body)
  for (const at of [1, 2]) {
    await make('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: `n${at}` } })
    await make('/api/v1/namespaces/default/serviceaccounts', account(`account${at}`))
    const volumes = [
      { name: 'a', secret: { secretName: `volume${at}` } },
      { name: 'b', projected: { sources: [{ configMap: { name: `projected${at}` } }] } },
      { name: 'c', persistentVolumeClaim: { claimName: `claim${at}` } },
    ]
    const resourceClaims = [{ name: 'gpu', resourceClaimName: `gpu${at}` }]
    const env = [{ name: 'X', valueFrom: { secretKeyRef: { name: `env${at}`, key: 'x' } } }]
    const containers = [{ name: 'main', image: 'host', env, envFrom: [{ configMapRef: { name: `all${at}` } }] }]
    const reply = await make(
      '/api/v1/namespaces/default/pods',
      pod(`p${at}`, { nodeName: `n${at}`, serviceAccountName: `account${at}`, volumes, containers, resourceClaims }),
    )
    assert.equal(reply.status, 201, JSON.stringify(reply.object))
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: `claim${at}` },
      spec: { accessModes: ['ReadWriteOnce'], volumeName: `pv${at}`, resources: { requests: { storage: '1Gi' } } },
    }
    const secret = (name: string) => ({ name: `${name}${at}`, namespace: 'storage' })
    const volume = {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: `pv${at}` },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        csi: {
          driver: 'x.example.com',
          volumeHandle: 'x',
          nodeStageSecretRef: secret('stage'),
          controllerExpandSecretRef: secret('expand'),
        },
      },
    }
    for (const made of [
      await make('/api/v1/namespaces/default/persistentvolumeclaims', claim),
      await make('/api/v1/persistentvolumes', volume),
    ])
      assert.equal(made.status, 201, JSON.stringify(made.object))
  }
  return api
}

test('a node reads what the pods bound to it need, and nothing of others', async () => {
  const { server, extensions } = await cluster()
  const may = (verb: string, path: string, name: string, more: object = {}) => {
    const [resource = '', subresource = ''] = path.split('/')
    return onTheSpot(extensions.authorizer)({
      user: nodeUser('n1'),
      verb,
      isResource: true,
      group: '',
      version: 'v1',
      namespace: 'default',
      resource,
      subresource,
      name,
      path: '',
      ...more,
    })
  }
  const cases: [boolean, ...Parameters<typeof may>][] = [
    [true, 'get', 'secrets', 'volume1'],
    [true, 'watch', 'secrets', 'env1'],
    [true, 'get', 'configmaps', 'projected1'],
    [true, 'get', 'configmaps', 'all1'],
    [true, 'get', 'persistentvolumeclaims', 'claim1'],
    [true, 'create', 'serviceaccounts/token', 'account1'],
    [false, 'get', 'secrets', 'volume2'],
    [false, 'get', 'secrets', 'env2'],
    [false, 'get', 'secrets', 'volume1', { namespace: 'kube-system' }],
    [false, 'list', 'secrets', ''],
    [false, 'update', 'secrets', 'volume1'],
    [false, 'get', 'configmaps', 'all2'],
    [false, 'list', 'persistentvolumeclaims', ''],
    [false, 'create', 'serviceaccounts/token', 'account2'],
    [true, 'get', 'pods', 'p1'],
    [false, 'get', 'pods', 'p2'],
    [true, 'list', 'pods', '', { namespace: '', fieldSelector: onNode('n1') }],
    // All pods and nodes are for its machine's traffic, which has an account of its own.
    [false, 'list', 'pods', '', { namespace: '' }],
    [true, 'update', 'pods/status', 'p1'],
    [false, 'create', 'pods/exec', 'p1'],
    [true, 'get', 'nodes', 'n1', { namespace: '' }],
    [false, 'get', 'nodes', 'n2', { namespace: '' }],
    [true, 'update', 'leases', 'n1', { group: 'coordination.k8s.io', namespace: 'kube-node-lease' }],
    [false, 'update', 'leases', 'n2', { group: 'coordination.k8s.io', namespace: 'kube-node-lease' }],
    [false, 'update', 'leases', 'n1', { group: 'coordination.k8s.io' }],
    [true, 'get', 'persistentvolumes', 'pv1', { namespace: '' }],
    [false, 'get', 'persistentvolumes', 'pv2', { namespace: '' }],
    [true, 'get', 'secrets', 'stage1', { namespace: 'storage' }],
    [false, 'get', 'secrets', 'stage2', { namespace: 'storage' }],
    [false, 'get', 'secrets', 'expand1', { namespace: 'storage' }],
    [true, 'get', 'resourceclaims', 'gpu1', { group: 'resource.k8s.io' }],
    [false, 'get', 'resourceclaims', 'gpu2', { group: 'resource.k8s.io' }],
    [false, 'list', 'resourceclaims', '', { group: 'resource.k8s.io' }],
    [true, 'list', 'resourceslices', '', { group: 'resource.k8s.io', namespace: '', fieldSelector: onNode('n1') }],
    [false, 'list', 'resourceslices', '', { group: 'resource.k8s.io', namespace: '' }],
    [false, 'deletecollection', 'resourceslices', '', { group: 'resource.k8s.io', fieldSelector: onNode('n2') }],
    [false, 'create', 'serviceaccounts/token', 'account2'],
    [false, 'create', 'serviceaccounts/token', ''],
    [true, 'create', 'events', ''],
    [true, 'list', 'services', '', { namespace: '' }],
    [false, 'delete', 'services', 'kubernetes'],
  ]
  for (const [allowed, ...asked] of cases) assert.equal(may(...asked).allowed, allowed, JSON.stringify(asked))
  assert.equal(may('get', 'secrets', 'volume2').reason, "no relationship found between node 'n1' and this object")
  await server.registry.delete(
    server.registry.kind('v1/pods')!,
    { namespace: 'default', name: 'p1' },
    { gracePeriodSeconds: 0 },
    { user: ADMIN },
  )
  assert.equal(may('get', 'secrets', 'volume1').allowed, false)
  await server.close()
})

test('NodeRestriction keeps a node to its own objects', async () => {
  const { server, send } = await cluster()
  const n1 = nodeUser('n1')
  const merge = { contentType: 'application/merge-patch+json' }
  const lease = (name: string) => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace: 'kube-node-lease' },
    spec: { holderIdentity: 'n1' },
  })
  const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases'
  const pods = '/api/v1/namespaces/default/pods'
  const uid = (await send(ADMIN, 'GET', `${pods}/p1`)).object.metadata.uid
  const otherUid = (await send(ADMIN, 'GET', `${pods}/p2`)).object.metadata.uid
  const token = (name: string, ref?: object, audiences?: string[]) => ({
    path: `/api/v1/namespaces/default/serviceaccounts/${name}/token`,
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { ...(ref && { boundObjectRef: ref }), ...(audiences && { audiences }) },
    },
  })
  const bound = (name: string, podUid: string) => ({ apiVersion: 'v1', kind: 'Pod', name, uid: podUid })
  const tokens = {
    good: token('account1', bound('p1', uid)),
    unbound: token('account1'),
    otherPod: token('account1', bound('p2', otherUid)),
    vault: token('account1', bound('p1', uid), ['vault']),
    two: token('account1', bound('p1', uid), ['a', 'b']),
    stale: token('account1', bound('p1', 'other')),
  }
  const cases: [string, number, RegExp, () => ReturnType<typeof send>][] = [
    ['its lease', 201, /n1/, () => send(n1, 'POST', leases, lease('n1'))],
    ['another’s lease', 403, /same name as the requesting node/, () => send(n1, 'POST', leases, lease('n2'))],
    ['its status', 200, /n1/, () => send(n1, 'PATCH', '/api/v1/nodes/n1/status', { status: {} }, merge)],
    [
      'another node',
      403,
      /node "n1" is not allowed to modify node "n2"/,
      () => send(n1, 'PATCH', '/api/v1/nodes/n2', { metadata: { labels: { a: 'b' } } }, merge),
    ],
    [
      'its taints',
      403,
      /not allowed to modify taints/,
      () => send(n1, 'PATCH', '/api/v1/nodes/n1', { spec: { taints: [] } }, merge),
    ],
    [
      'a reserved label',
      403,
      /is not allowed to modify labels: node-restriction.kubernetes.io\/x/,
      () =>
        send(
          n1,
          'PATCH',
          '/api/v1/nodes/n1',
          { metadata: { labels: { 'node-restriction.kubernetes.io/x': '1' } } },
          merge,
        ),
    ],
    [
      'a label of its own',
      200,
      /n1/,
      () =>
        send(n1, 'PATCH', '/api/v1/nodes/n1', { metadata: { labels: { 'topology.kubernetes.io/zone': 'z' } } }, merge),
    ],
    [
      'a pod that is no mirror',
      403,
      /can only create mirror pods/,
      () => send(n1, 'POST', pods, pod('x', { nodeName: 'n1' })),
    ],
    [
      'another’s pod',
      403,
      /can only delete pods with spec.nodeName set to itself/,
      () => send(n1, 'DELETE', `${pods}/p2`),
    ],
    ['its pod’s token', 201, /token/, () => send(n1, 'POST', tokens.good.path, tokens.good.body)],
    ['a token for no pod', 403, /not bound to a pod/, () => send(n1, 'POST', tokens.unbound.path, tokens.unbound.body)],
    [
      'a token of a pod elsewhere',
      403,
      /different node/,
      () => send(n1, 'POST', tokens.otherPod.path, tokens.otherPod.body),
    ],
    [
      'a token for an audience that its pod does not name',
      403,
      /audience "vault" not found in pod spec volume, system:node:n1 is not authorized to request tokens for this audience/,
      () => send(n1, 'POST', tokens.vault.path, tokens.vault.body),
    ],
    [
      'a token for two audiences',
      403,
      /node may only request 0 or 1 audiences/,
      () => send(n1, 'POST', tokens.two.path, tokens.two.body),
    ],
    [
      'claims of its pod',
      403,
      /node "n1" cannot update resource claim statues/,
      () => send(n1, 'PATCH', `${pods}/p1/status`, { status: { resourceClaimStatuses: [{ name: 'gpu' }] } }, merge),
    ],
    [
      'a token of a pod that was',
      403,
      /does not match the UID/,
      () => send(n1, 'POST', tokens.stale.path, tokens.stale.body),
    ],
  ]
  for (const [title, status, text, run] of cases) {
    const reply = await run()
    assert.equal(reply.status, status, `${title}: ${JSON.stringify(reply.object)}`)
    assert.match(JSON.stringify(reply.object.message ?? reply.object).replaceAll('\\"', '"'), text, title)
  }
  await server.close()
})
