/** Attempts to get more rights than one has, each by real requests, each refused. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { csr, pkcs10 } from '../../../src/apiserver/admission/certificate-request.fixture.ts'
import type { UserInfo } from '../../../src/apiserver/authentication/authenticator.ts'
import { impersonationFilter } from '../../../src/apiserver/authentication/impersonation/impersonation.ts'
import { startServer } from '../../../src/apiserver/bootstrap/server.fixture.ts'
import type { ApiRequest } from '../../../src/client/transport.ts'
import { type Cluster, startCluster } from '../../../src/cmd/testing.ts'
import type { Loose } from './start.ts'

const RBAC = '/apis/rbac.authorization.k8s.io/v1'
const SHOP = '/api/v1/namespaces/shop'
const SHOP_RBAC = `${RBAC}/namespaces/shop`

const person = (name: string): UserInfo => ({ name, groups: ['system:authenticated'] })
const node = (name: string): UserInfo => ({
  name: `system:node:${name}`,
  groups: ['system:nodes', 'system:authenticated'],
})
/** Each has the role of their name in the namespace shop. */
const [admin, edit, view, nobody] = [person('admin'), person('edit'), person('view'), person('nobody')]
/** May write cluster roles and bindings, and has no other right. */
const keeper = person('keeper')

let cluster: Cluster

const role = (kind: string, name: string, rules: object[], more: object = {}): Loose => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind,
  metadata: { name, ...more },
  rules,
})
const binding = (kind: string, name: string, ref: [string, string], user: string, namespace?: string): Loose => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind,
  metadata: { name, ...(namespace && { namespace }) },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: ref[0], name: ref[1] },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
})
const rule = (verbs: string, group: string, resources: string, names?: string) => ({
  verbs: verbs.split(','),
  apiGroups: [group],
  resources: resources.split(','),
  ...(names && { resourceNames: names.split(',') }),
})

const send = async (
  user: UserInfo,
  method: ApiRequest['method'],
  path: string,
  body?: object,
  contentType?: string,
): Promise<{ status: number; object: Loose }> =>
  (await cluster.server.transport(user)({
    method,
    path,
    ...(body && { body: structuredClone(body) }),
    ...(contentType && { contentType }),
  })) as Loose

const MERGE = 'application/merge-patch+json'
const APPLY = 'application/apply-patch+yaml'

before(async () => {
  cluster = await startCluster({ controllers: false, nodes: 0 })
  const make = (object: Loose) => cluster.create(object)
  await make({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
  for (const name of ['default', 'web', 'boss'])
    await make({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: 'shop' } })
  for (const name of ['admin', 'edit', 'view'])
    await make(binding('RoleBinding', name, ['ClusterRole', name], name, 'shop'))
  await make(
    role('ClusterRole', 'keeper', [
      rule('get,list,create,update,patch,delete', 'rbac.authorization.k8s.io', 'clusterroles,clusterrolebindings'),
    ]),
  )
  await make(binding('ClusterRoleBinding', 'keeper', ['ClusterRole', 'keeper'], 'keeper'))
  await make(role('ClusterRole', 'strong', [rule('get', '', 'secrets')]))
  await make(role('ClusterRole', 'pods', [rule('get', '', 'pods')]))
  await make(role('Role', 'local', [rule('get', '', 'pods')], { namespace: 'shop' }))
  for (const name of ['n1', 'n2']) await make({ apiVersion: 'v1', kind: 'Node', metadata: { name } })
  for (const name of ['own', 'other'])
    await make({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'shop' } })
  for (const [name, account, secret] of [
    ['n1', 'web', 'own'],
    ['n2', 'boss', 'other'],
  ])
    await make({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `on-${name}`, namespace: 'shop' },
      spec: {
        nodeName: name,
        serviceAccountName: account,
        containers: [{ name: 'main', image: 'host' }],
        volumes: [{ name: 'a', secret: { secretName: secret } }],
      },
    })
})
after(() => cluster.stop())

/** User, method, path, body, and what the refusal says. */
type Attempt = readonly [UserInfo, ApiRequest['method'], string, object | undefined, RegExp, string?]

async function allRefused(attempts: readonly Attempt[]) {
  for (const [user, method, path, body, words, contentType] of attempts) {
    const before = cluster.server.registry.revision()
    const { status, object } = await send(user, method, path, body, contentType)
    const what = `${user.name} ${method} ${path} ${JSON.stringify(body)}`
    assert.equal(status, 403, `${what}: ${JSON.stringify(object)}`)
    assert.equal(object.reason, 'Forbidden')
    assert.match(object.message, words, what)
    assert.equal(cluster.server.registry.revision(), before, `${what} wrote something`)
  }
}

const NOT_HELD = /is attempting to grant RBAC permissions not currently held/

test('nobody binds a role that is stronger than they are', () =>
  allRefused([
    [
      admin,
      'POST',
      `${SHOP_RBAC}/rolebindings`,
      binding('RoleBinding', 'x', ['ClusterRole', 'cluster-admin'], 'admin'),
      NOT_HELD,
    ],
    [
      admin,
      'POST',
      `${RBAC}/clusterrolebindings`,
      binding('ClusterRoleBinding', 'x', ['ClusterRole', 'admin'], 'admin'),
      /cannot create resource "clusterrolebindings"/,
    ],
    [
      admin,
      'POST',
      `${RBAC}/namespaces/kube-system/rolebindings`,
      binding('RoleBinding', 'x', ['ClusterRole', 'view'], 'admin'),
      /cannot create resource "rolebindings" .* in the namespace "kube-system"/,
    ],
    [
      edit,
      'POST',
      `${SHOP_RBAC}/rolebindings`,
      binding('RoleBinding', 'x', ['ClusterRole', 'view'], 'edit'),
      /cannot create resource "rolebindings"/,
    ],
    [
      keeper,
      'POST',
      `${RBAC}/clusterrolebindings`,
      binding('ClusterRoleBinding', 'x', ['ClusterRole', 'strong'], 'keeper'),
      NOT_HELD,
    ],
    [
      keeper,
      'PUT',
      `${RBAC}/clusterrolebindings/keeper`,
      { ...binding('ClusterRoleBinding', 'keeper', ['ClusterRole', 'strong'], 'keeper') },
      NOT_HELD,
    ],
    [
      keeper,
      'PATCH',
      `${RBAC}/clusterrolebindings/x`,
      binding('ClusterRoleBinding', 'x', ['ClusterRole', 'strong'], 'keeper'),
      NOT_HELD,
      APPLY,
    ],
  ]))

test('nobody writes a role that is stronger than they are', () =>
  allRefused([
    [admin, 'POST', `${SHOP_RBAC}/roles`, role('Role', 'x', [rule('*', '*', '*')]), NOT_HELD],
    [admin, 'POST', `${SHOP_RBAC}/roles`, role('Role', 'x', [rule('get', '', 'nodes')]), NOT_HELD],
    [admin, 'PUT', `${SHOP_RBAC}/roles/local`, role('Role', 'local', [rule('get', '', 'nodes')]), NOT_HELD],
    [admin, 'PATCH', `${SHOP_RBAC}/roles/local`, { rules: [rule('get', '', 'nodes')] }, NOT_HELD, MERGE],
    [admin, 'PATCH', `${SHOP_RBAC}/roles/new`, role('Role', 'new', [rule('get', '', 'nodes')]), NOT_HELD, APPLY],
    // An update of a role that is not there makes it.
    [
      admin,
      'PUT',
      `${SHOP_RBAC}/roles/new`,
      role('Role', 'new', [rule('get', '', 'nodes')], { namespace: 'shop' }),
      NOT_HELD,
    ],
    [keeper, 'POST', `${RBAC}/clusterroles`, role('ClusterRole', 'x', [rule('get', '', 'secrets')]), NOT_HELD],
    [
      keeper,
      'POST',
      `${RBAC}/clusterroles`,
      role('ClusterRole', 'x', [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }]),
      NOT_HELD,
    ],
    // What is gathered into admin, edit and view is given to all who have them.
    [
      keeper,
      'POST',
      `${RBAC}/clusterroles`,
      role('ClusterRole', 'x', [rule('*', '', 'nodes')], {
        labels: { 'rbac.authorization.k8s.io/aggregate-to-edit': 'true' },
      }),
      NOT_HELD,
    ],
    [
      keeper,
      'POST',
      `${RBAC}/clusterroles`,
      { ...role('ClusterRole', 'x', []), aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] } },
      /must have cluster-admin privileges to use the aggregationRule/,
    ],
    [
      keeper,
      'PATCH',
      `${RBAC}/clusterroles/keeper`,
      { rules: [rule('escalate,bind', 'rbac.authorization.k8s.io', 'clusterroles')] },
      NOT_HELD,
      MERGE,
    ],
    [
      keeper,
      'PATCH',
      `${RBAC}/clusterroles/keeper`,
      { rules: [rule('impersonate', '', 'users,groups')] },
      NOT_HELD,
      MERGE,
    ],
    // Rights on one object are none on all.
    [
      keeper,
      'PATCH',
      `${RBAC}/clusterroles/keeper`,
      { rules: [rule('*', 'rbac.authorization.k8s.io', 'clusterroles')] },
      NOT_HELD,
      MERGE,
    ],
  ]))

test('who may bind or escalate may, and only what they may', async () => {
  const grant = async (name: string, rules: object[]) => {
    await cluster.create(role('ClusterRole', name, rules))
    await cluster.create(binding('ClusterRoleBinding', name, ['ClusterRole', name], name))
    return person(name)
  }
  const write = rule('create,update,patch', 'rbac.authorization.k8s.io', 'clusterroles,clusterrolebindings')
  const binder = await grant('binder', [write, rule('bind', 'rbac.authorization.k8s.io', 'clusterroles', 'strong')])
  const climber = await grant('climber', [write, rule('escalate', 'rbac.authorization.k8s.io', 'clusterroles')])
  const path = `${RBAC}/clusterrolebindings`
  const bind = (name: string, to: string) => binding('ClusterRoleBinding', name, ['ClusterRole', to], 'someone')
  assert.equal((await send(binder, 'POST', path, bind('allowed', 'strong'))).status, 201)
  assert.equal(
    (await send(climber, 'POST', `${RBAC}/clusterroles`, role('ClusterRole', 'made', [rule('*', '*', '*')]))).status,
    201,
  )
  await allRefused([
    [binder, 'POST', path, bind('x', 'cluster-admin'), NOT_HELD],
    [binder, 'POST', `${RBAC}/clusterroles`, role('ClusterRole', 'x', [rule('get', '', 'secrets')]), NOT_HELD],
    [climber, 'POST', path, bind('x', 'cluster-admin'), NOT_HELD],
  ])
})

test('a viewer sees no secrets, and runs and changes nothing', () =>
  allRefused([
    [view, 'GET', `${SHOP}/secrets`, undefined, /cannot list resource "secrets"/],
    [view, 'GET', `${SHOP}/secrets/own`, undefined, /cannot get resource "secrets"/],
    [view, 'GET', `${SHOP}/pods/on-n1/exec`, undefined, /resource "pods\/exec"/],
    [view, 'POST', `${SHOP}/pods/on-n1/portforward`, undefined, /resource "pods\/portforward"/],
    [view, 'DELETE', `${SHOP}/pods/on-n1`, undefined, /cannot delete resource "pods"/],
    [view, 'PATCH', `${SHOP}/pods/on-n1`, { metadata: { labels: { a: 'b' } } }, /cannot patch resource "pods"/, MERGE],
    [view, 'GET', `${SHOP}/services/x/proxy`, undefined, /cannot get resource "services\/proxy"/],
    [edit, 'GET', '/api/v1/nodes', undefined, /cannot list resource "nodes" in API group "" at the cluster scope/],
    [
      admin,
      'PATCH',
      '/api/v1/namespaces/shop',
      { metadata: { labels: { a: 'b' } } },
      /cannot patch resource "namespaces"/,
      MERGE,
    ],
    [
      admin,
      'POST',
      `${SHOP}/resourcequotas`,
      { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'x' } },
      /cannot create resource "resourcequotas"/,
    ],
    [nobody, 'GET', '/metrics', undefined, /cannot get path "\/metrics"/],
  ]))

test('nobody gets the token of an account that they may not speak for', () =>
  allRefused([
    [view, 'POST', `${SHOP}/serviceaccounts/boss/token`, {}, /cannot create resource "serviceaccounts\/token"/],
    [
      admin,
      'POST',
      '/api/v1/namespaces/kube-system/serviceaccounts/default/token',
      {},
      /in the namespace "kube-system"/,
    ],
    [
      node('n1'),
      'POST',
      `${SHOP}/serviceaccounts/boss/token`,
      {},
      /no relationship found between node 'n1' and this object/,
    ],
    [node('n1'), 'POST', `${SHOP}/serviceaccounts/web/token`, { spec: {} }, /node requested token not bound to a pod/],
    [
      nobody,
      'POST',
      '/apis/authentication.k8s.io/v1/tokenreviews',
      { spec: { token: 'x' } },
      /cannot create resource "tokenreviews"/,
    ],
    [
      nobody,
      'POST',
      '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      {},
      /cannot create resource "subjectaccessreviews"/,
    ],
  ]))

test('a node keeps to itself and to its own pods', () =>
  allRefused([
    [node('n1'), 'GET', `${SHOP}/secrets/other`, undefined, /no relationship found between node 'n1' and this object/],
    [node('n1'), 'GET', `${SHOP}/secrets`, undefined, /No Object name found/],
    [node('n1'), 'GET', '/api/v1/secrets', undefined, /can only read namespaced object of this type/],
    [node('n1'), 'GET', `${SHOP}/pods/on-n2`, undefined, /no relationship found/],
    [
      node('n1'),
      'PATCH',
      '/api/v1/nodes/n2',
      { metadata: { labels: { a: 'b' } } },
      /is not allowed to modify node "n2"/,
      MERGE,
    ],
    [node('n1'), 'PATCH', '/api/v1/nodes/n2/status', { status: {} }, /is not allowed to modify node "n2"/, MERGE],
    [node('n1'), 'DELETE', '/api/v1/nodes/n1', undefined, /cannot delete resource "nodes"/],
    [node('n1'), 'DELETE', `${SHOP}/pods/on-n2`, undefined, /can only delete pods with spec.nodeName set to itself/],
    [
      node('n1'),
      'PATCH',
      '/api/v1/nodes/n1',
      { metadata: { labels: { 'node-restriction.kubernetes.io/x': 'y' } } },
      /is not allowed to modify labels/,
      MERGE,
    ],
    [node(''), 'GET', `${SHOP}/secrets/own`, undefined, /cannot get resource "secrets"/],
    [
      { name: 'system:node:n1', groups: ['system:authenticated'] },
      'GET',
      `${SHOP}/secrets/own`,
      undefined,
      /cannot get resource "secrets"/,
    ],
  ]))

test('nobody gets a certificate that makes them more than they are', async () => {
  const REQUESTS = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
  const grant = async (name: string, ...rules: object[]) => {
    await cluster.create(role('ClusterRole', name, rules))
    await cluster.create(binding('ClusterRoleBinding', name, ['ClusterRole', name], name))
    return person(name)
  }
  const group = 'certificates.k8s.io'
  const asker = await grant('asker', rule('create,get', group, 'certificatesigningrequests'))
  /** May write what the parts hold, but speaks for no signer. */
  const writer = await grant(
    'writer',
    rule('update,patch', group, ['approval', 'status'].map(part => `certificatesigningrequests/${part}`).join()),
  )
  const client = 'kubernetes.io/kube-apiserver-client'
  const masters = await pkcs10({ subject: [{ O: ['system:masters'] }, { CN: ['asker'] }] })
  const request = await pkcs10({ subject: [{ CN: ['kubernetes-admin'] }] })
  assert.equal((await send(asker, 'POST', REQUESTS, csr('plain', request, client, ['client auth']))).status, 201)
  const condition = { status: { conditions: [{ type: 'Approved', status: 'True' }] } }
  const certificate = {
    status: { certificate: Buffer.from((await cluster.authority()).certificate).toString('base64') },
  }
  await allRefused([
    [asker, 'POST', REQUESTS, csr('x', masters, client, ['client auth']), /system:masters/],
    [
      asker,
      'PATCH',
      `${REQUESTS}/plain/approval`,
      condition,
      /cannot patch resource "certificatesigningrequests\/approval"/,
      MERGE,
    ],
    [
      writer,
      'PATCH',
      `${REQUESTS}/plain/approval`,
      condition,
      /user not permitted to approve requests with signerName "kubernetes.io\/kube-apiserver-client"/,
      MERGE,
    ],
    [
      writer,
      'PATCH',
      `${REQUESTS}/plain/status`,
      certificate,
      /user not permitted to sign requests with signerName "kubernetes.io\/kube-apiserver-client"/,
      MERGE,
    ],
  ])
})

test('paths that mean another are read as they are written', async () => {
  for (const path of [
    '/api/v1/namespaces/shop/../kube-system/secrets',
    '/api/v1/namespaces/shop%2f..%2fkube-system/secrets',
    '/api/v1/namespaces/shop/%2e%2e/kube-system/secrets',
    '/api//v1/namespaces/kube-system/secrets',
    '//api/v1/namespaces/kube-system/secrets',
    '/API/v1/namespaces/kube-system/secrets',
    '/api/v1/namespaces/shop/secrets/..%2f..%2fkube-system%2fsecrets%2fx',
    '/api/v1/namespaces/kube-system/secrets;shop',
    '/api/v1/watch/namespaces/kube-system/secrets',
    '/healthz/../api/v1/namespaces/kube-system/secrets',
    '/api/v1/namespaces/shop/secrets%00',
    '/apis/rbac.authorization.k8s.io/v1/namespaces/shop/../../clusterroles',
  ]) {
    const { status, object } = await send(edit, 'GET', path)
    assert.ok([400, 403, 404].includes(status), `${path}: ${status}`)
    assert.equal(object.items, undefined, path)
  }
})

test('nobody is taken for someone else without leave, in any form', async () => {
  const { authorizer } = (await startServer()).extensions
  const filter = impersonationFilter(authorizer)(async () => assert.fail('the request went through'))
  const query = new URLSearchParams()
  const info = { isResource: true, verb: 'list', group: '', version: 'v1', namespace: 'shop', resource: 'pods' }
  for (const headers of [
    { 'impersonate-user': 'kubernetes-admin' },
    { 'impersonate-user': 'nobody', 'impersonate-group': 'system:masters' },
    { 'impersonate-user': 'system:serviceaccount:kube-system:default' },
    { 'impersonate-user': 'system:node:n1' },
    { 'impersonate-user': 'nobody', 'impersonate-uid': '1' },
    { 'impersonate-user': 'nobody', 'impersonate-extra-a.b%2fc': 'd' },
    { 'impersonate-user': 'system:anonymous' },
  ]) {
    const request = {
      headers: { ...headers },
      user: nobody,
      info,
      query,
      path: '/api/v1/namespaces/shop/pods',
    } as Loose
    await assert.rejects(async () => filter(request), { code: 403 }, JSON.stringify(headers))
  }
})
