import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onTheSpot } from '../authorization/authorizers.ts'
import { bootstrapRoles } from './objects.ts'
import { parseRule } from './policy-source.ts'
import { repair } from './reconcile.ts'
import { ADMIN, startServer } from './server.fixture.ts'

const ROLES = '/apis/rbac.authorization.k8s.io/v1/clusterroles'

test('parseRule reads resources, names and URLs', () => {
  const cases: [string, object][] = [
    [
      'get,list core,apps pods,deployments/scale',
      { verbs: ['get', 'list'], apiGroups: ['', 'apps'], resources: ['pods', 'deployments/scale'] },
    ],
    [
      'get core configmaps a,b',
      { verbs: ['get'], apiGroups: [''], resources: ['configmaps'], resourceNames: ['a', 'b'] },
    ],
    ['get /healthz,/livez', { verbs: ['get'], nonResourceURLs: ['/healthz', '/livez'] }],
    ['* * *', { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
  ]
  for (const [text, rule] of cases) assert.deepEqual(parseRule(text), rule)
})

test('bootstrapRoles gathers view into edit and edit into admin', () => {
  const roles = new Map(bootstrapRoles().map(role => [role.metadata!.name, role]))
  const text = (name: string) => JSON.stringify(roles.get(name)!.rules)
  assert.match(text('view'), /"pods"/)
  for (const rule of roles.get('view')!.rules!) assert.ok(text('edit').includes(JSON.stringify(rule)))
  for (const rule of roles.get('edit')!.rules!) assert.ok(text('admin').includes(JSON.stringify(rule)))
  assert.doesNotMatch(text('view'), /"secrets"/)
})

test('bootstrap makes the objects of a fresh cluster, once', async () => {
  const first = await startServer()
  const counts: [string, number][] = [
    ['/api/v1/namespaces', 4],
    [ROLES, 81],
    ['/apis/scheduling.k8s.io/v1/priorityclasses', 2],
    ['/apis/node.k8s.io/v1/runtimeclasses', 3],
    ['/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas', 11],
    ['/apis/networking.k8s.io/v1/servicecidrs', 1],
  ]
  for (const [path, count] of counts) {
    const { object } = await first.send(ADMIN, 'GET', path)
    assert.equal(object.items.length, count, path)
  }
  const before = first.store.revision()
  await first.server.close()
  const second = await startServer({ store: first.store })
  assert.equal(second.store.revision(), before)
  await second.server.close()
})

test('bootstrap restores what was taken from a role, and keeps what was added', async () => {
  const first = await startServer()
  const path = `${ROLES}/system:basic-user`
  const added = { verbs: ['get'], apiGroups: ['x'], resources: ['y'] }
  await first.send(ADMIN, 'PATCH', path, { rules: [added] }, { contentType: 'application/merge-patch+json' })
  await first.server.close()
  const second = await startServer({ store: first.store })
  const { object } = await second.send(ADMIN, 'GET', path)
  assert.deepEqual(object.rules[0], added)
  assert.match(JSON.stringify(object.rules), /selfsubjectaccessreviews/)
  await second.server.close()
})

test('bootstrap takes away what earlier versions gave too much, and keeps what others added', async () => {
  const first = await startServer()
  const api = '/apis/rbac.authorization.k8s.io/v1'
  const binding = `${api}/clusterrolebindings/tutti:node-traffic`
  const role = `${api}/namespaces/kube-system/roles/tutti:network-config`
  const merge = { contentType: 'application/merge-patch+json' }
  const nodes = { kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'system:nodes' }
  const own = { ...nodes, name: 'monitoring' }
  await first.send(ADMIN, 'PATCH', binding, { subjects: [nodes, own] }, merge)
  await first.send(ADMIN, 'PATCH', role, { rules: [parseRule('get,list,watch core configmaps kube-dns')] }, merge)
  await first.send(ADMIN, 'POST', ROLES, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'tutti:scheduler-runtimes' },
    rules: [],
  })
  await first.server.close()
  const second = await startServer({ store: first.store })
  const read = async (path: string) => (await second.send(ADMIN, 'GET', path)).object
  assert.deepEqual(
    (await read(binding)).subjects.map((each: { name: string }) => each.name),
    ['monitoring', 'tutti:node-traffic'],
  )
  assert.deepEqual((await read(role)).rules, [parseRule('get core configmaps tutti-network')])
  assert.equal((await read(`${ROLES}/tutti:scheduler-runtimes`)).code, 404)
  await second.server.close()
})

test('bootstrap makes a binding anew that leads to another role', async () => {
  const first = await startServer()
  const path = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings'
  const { object: before } = await first.send(ADMIN, 'GET', `${path}/system:basic-user`)
  await first.send(ADMIN, 'DELETE', `${path}/system:basic-user`)
  const { name, labels, annotations } = before.metadata
  const roleRef = { ...before.roleRef, name: 'view' }
  await first.send(ADMIN, 'POST', path, { ...before, roleRef, metadata: { name, labels, annotations } })
  await first.server.close()
  const second = await startServer({ store: first.store })
  const { object } = await second.send(ADMIN, 'GET', `${path}/system:basic-user`)
  assert.deepEqual(object.roleRef, before.roleRef)
  await second.server.close()
})

test('repair leaves alone what says autoupdate false', () => {
  const wanted = { metadata: { name: 'x', labels: { a: 'b' } }, rules: [parseRule('get core pods')] }
  const off = { metadata: { name: 'x', annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' } } }
  assert.equal(repair(off, wanted), undefined)
  assert.equal(repair(wanted, wanted), undefined)
  assert.notEqual(repair({ metadata: { name: 'x' } }, wanted), undefined)
})

test('aggregating roles follow the roles that they select', async () => {
  const { server, clock, send } = await startServer()
  const label = { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' }
  const rule = { verbs: ['get'], apiGroups: ['example.com'], resources: ['widgets'] }
  await send(ADMIN, 'POST', ROLES, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'widgets', labels: label },
    rules: [rule],
  })
  const has = async (name: string) => {
    await clock.advance(0)
    return JSON.stringify((await send(ADMIN, 'GET', `${ROLES}/${name}`)).object.rules).includes('widgets')
  }
  for (const name of ['view', 'edit', 'admin']) assert.ok(await has(name), name)
  await send(ADMIN, 'DELETE', `${ROLES}/widgets`)
  for (const name of ['view', 'edit', 'admin']) assert.ok(!(await has(name)), name)
  await server.close()
})

test('the parts of the program may do their work, by roles and not by privilege', async () => {
  const { server, extensions } = await startServer()
  const may = (name: string, verb: string, group: string, path: string, namespace = '') => {
    const [resource = '', subresource = ''] = path.split('/')
    const user = { name, groups: ['system:authenticated'] }
    const request = {
      user,
      verb,
      isResource: true,
      group,
      version: 'v1',
      namespace,
      resource,
      subresource,
      name: 'x',
      path: '',
    }
    return onTheSpot(extensions.authorizer)(request).allowed
  }
  const manager = 'system:kube-controller-manager'
  const cases: [boolean, ...Parameters<typeof may>][] = [
    [true, 'system:kube-proxy', 'watch', '', 'services'],
    [true, 'system:kube-proxy', 'watch', 'discovery.k8s.io', 'endpointslices'],
    [true, 'system:kube-proxy', 'watch', '', 'pods'],
    [false, 'system:kube-proxy', 'get', '', 'secrets', 'default'],
    [true, manager, 'create', 'apps', 'replicasets', 'default'],
    [true, manager, 'update', 'apps', 'deployments/status', 'default'],
    [true, manager, 'update', '', 'namespaces/finalize'],
    [true, manager, 'create', '', 'serviceaccounts', 'default'],
    [true, manager, 'create', '', 'configmaps', 'default'],
    [true, manager, 'update', 'batch', 'jobs/status', 'default'],
    [true, manager, 'create', 'discovery.k8s.io', 'endpointslices', 'default'],
    [true, manager, 'update', '', 'endpoints', 'default'],
    [true, manager, 'delete', '', 'pods', 'default'],
    [true, manager, 'patch', '', 'pods/status', 'default'],
    [true, manager, 'patch', '', 'nodes'],
    [true, manager, 'deletecollection', 'apps', 'deployments', 'default'],
    [true, manager, 'create', '', 'events', 'default'],
    [false, manager, 'create', 'rbac.authorization.k8s.io', 'clusterrolebindings'],
    [true, 'system:kube-scheduler', 'create', '', 'pods/binding', 'default'],
    [true, 'system:kube-scheduler', 'patch', '', 'pods/status', 'default'],
    [false, 'system:kube-scheduler', 'get', '', 'secrets', 'default'],
  ]
  for (const [allowed, ...asked] of cases) assert.equal(may(...asked), allowed, JSON.stringify(asked))
  await server.close()
})
