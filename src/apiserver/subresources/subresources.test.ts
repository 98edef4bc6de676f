import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import type { LogOptions, NodeApi } from '../../client/node-api.ts'
import { ADMIN, person, pod, startServer, type TestServer } from '../bootstrap/server.fixture.ts'

const PODS = '/api/v1/namespaces/default/pods'
const binding = (name: string, node: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Binding',
  metadata: { name, namespace: 'default', ...more },
  target: { apiVersion: 'v1', kind: 'Node', name: node },
})

test('pods/binding sets the node and the condition, once', async () => {
  const { server, send } = await startServer()
  await send(ADMIN, 'POST', PODS, pod('p'))
  const bound = await send(ADMIN, 'POST', `${PODS}/p/binding`, binding('p', 'n1', { annotations: { a: 'b' } }))
  assert.deepEqual([bound.status, bound.object.kind, bound.object.status], [201, 'Status', 'Success'])
  const { object } = await send(ADMIN, 'GET', `${PODS}/p`)
  assert.equal(object.spec.nodeName, 'n1')
  assert.equal(object.metadata.annotations.a, 'b')
  const scheduled = object.status.conditions.find((each: { type: string }) => each.type === 'PodScheduled')
  assert.equal(scheduled.status, 'True')
  const placed = await send(ADMIN, 'GET', `${PODS}/p`)
  assert.equal(placed.object.metadata.generation, 1, 'a node is no change of what is wanted')
  const again = await send(ADMIN, 'POST', `${PODS}/p/binding`, binding('p', 'n2'))
  assert.equal(again.status, 409)
  assert.equal(
    again.object.message,
    'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n1"',
  )
  await send(ADMIN, 'POST', PODS, pod('q'))
  const cases: [string, string, object, number][] = [
    [`${PODS}/absent/binding`, 'POST', binding('absent', 'n1'), 404],
    [`${PODS}/q/binding`, 'POST', binding('q', ''), 500],
    [`${PODS}/q/binding`, 'POST', binding('p', 'n1'), 400],
    [`${PODS}/q/binding`, 'POST', binding('q', 'n1', { uid: 'x' }), 409],
    [`${PODS}/q/binding`, 'PUT', binding('q', 'n1'), 405],
    ['/api/v1/namespaces/default/bindings', 'POST', binding('q', 'n1'), 201],
  ]
  for (const [path, method, body, status] of cases)
    assert.equal((await send(ADMIN, method as 'POST', path, body)).status, status, `${path} ${JSON.stringify(body)}`)
  await server.close()
})

const eviction = (name: string) => ({
  apiVersion: 'policy/v1',
  kind: 'Eviction',
  metadata: { name, namespace: 'default' },
})

async function budget({ send }: TestServer, name: string, status: object, spec: object = {}) {
  const path = '/apis/policy/v1/namespaces/default/poddisruptionbudgets'
  const made = await send(ADMIN, 'POST', path, {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name, namespace: 'default' },
    spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } }, ...spec },
  })
  assert.equal(made.status, 201, JSON.stringify(made.object))
  const counts = { currentHealthy: 1, desiredHealthy: 1, disruptionsAllowed: 0, expectedPods: 1 }
  const full = { ...made.object, status: { ...counts, observedGeneration: made.object.metadata.generation, ...status } }
  const put = await send(ADMIN, 'PUT', `${path}/${name}/status`, full)
  assert.equal(put.status, 200, JSON.stringify(put.object))
  return async () => (await send(ADMIN, 'GET', `${path}/${name}`)).object.status
}

/** A pod of the label app=web that runs and is ready, or not. */
async function running({ send }: TestServer, name: string, ready: boolean) {
  await send(ADMIN, 'POST', PODS, pod(name, { nodeName: 'n1' }, { labels: { app: 'web' } }))
  const { object } = await send(ADMIN, 'GET', `${PODS}/${name}`)
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }]
  const put = await send(ADMIN, 'PUT', `${PODS}/${name}/status`, {
    ...object,
    status: { phase: 'Running', conditions },
  })
  assert.equal(put.status, 200, JSON.stringify(put.object))
}

test('pods/eviction keeps to the disruption budget', async () => {
  const api = await startServer()
  await running(api, 'a', true)
  await running(api, 'b', true)
  await running(api, 'sick', false)
  const status = await budget(api, 'web', { disruptionsAllowed: 1 })
  const evict = (name: string) => api.send(ADMIN, 'POST', `${PODS}/${name}/eviction`, eviction(name))
  assert.equal((await evict('a')).status, 201)
  const { object } = await api.send(ADMIN, 'GET', `${PODS}/a`)
  assert.ok(object.metadata.deletionTimestamp, JSON.stringify(object))
  const target = object.status.conditions.find((each: { type: string }) => each.type === 'DisruptionTarget')
  assert.equal(target.reason, 'EvictionByEvictionAPI')
  assert.deepEqual([(await status()).disruptionsAllowed, Object.keys((await status()).disruptedPods)], [0, ['a']])
  const refused = await evict('b')
  assert.equal(refused.status, 429)
  assert.equal(refused.object.message, "Cannot evict pod as it would violate the pod's disruption budget.")
  assert.equal(
    refused.object.details.causes[0].message,
    'The disruption budget web needs 1 healthy pods and has 1 currently',
  )
  assert.equal((await evict('sick')).status, 201, 'a pod that is not ready costs nothing while the rest is well')
  await budget(api, 'second', {})
  assert.match((await evict('b')).object.message, /more than one PodDisruptionBudget/)
  await api.server.close()
})

/** A node that remembers what it was asked and writes three lines. */
function recorder(asked: LogOptions[]): NodeApi {
  return {
    async logs(_pod, options) {
      asked.push(options)
      async function* lines() {
        for (const line of ['one\n', 'two\n']) yield Buffer.from(line)
      }
      return lines()
    },
    exec: async () => ({ exitCode: 0 }),
    attach: async () => {},
    connect: async () => new PassThrough(),
  }
}

test('pods/log hands the options on and refuses wrong ones in the words of Kubernetes', async () => {
  const api = await startServer()
  const asked: LogOptions[] = []
  api.nodes.set('n1', recorder(asked))
  const two = [
    { name: 'a', image: 'host' },
    { name: 'b', image: 'host' },
  ]
  await api.send(ADMIN, 'POST', PODS, pod('one', { nodeName: 'n1' }))
  await api.send(ADMIN, 'POST', PODS, pod('two', { nodeName: 'n1', containers: two }))
  await api.send(ADMIN, 'POST', PODS, pod('far', { nodeName: 'n9' }))
  await api.send(ADMIN, 'POST', PODS, pod('new'))
  const transport = api.server.transport(ADMIN)
  const read = async (name: string, query: Record<string, string> = {}) => {
    const reply = await transport({ method: 'GET', path: `${PODS}/${name}/log`, query })
    const chunks: Uint8Array[] = []
    for await (const chunk of reply.bytes ?? []) chunks.push(chunk)
    return { status: reply.status, text: Buffer.concat(chunks).toString(), object: reply.object as { message: string } }
  }
  assert.equal((await read('one', { tailLines: '5', timestamps: 'true', previous: 'false' })).text, 'one\ntwo\n')
  assert.deepEqual(asked[0], { container: 'main', follow: false, previous: false, timestamps: true, tailLines: 5 })
  assert.equal((await read('new')).text, '')
  const cases: [string, Record<string, string>, number, RegExp][] = [
    ['two', {}, 400, /^a container name must be specified for pod two, choose one of: \[a b\]$/],
    ['two', { container: 'c' }, 400, /^container c is not valid for pod two$/],
    [
      'one',
      { tailLines: '-1' },
      422,
      /PodLogOptions "one" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0/,
    ],
    ['one', { tailLines: 'x' }, 400, /invalid syntax/],
    [
      'one',
      { sinceSeconds: '5', sinceTime: '2026-01-01T00:00:00Z' },
      422,
      /at most one of `sinceTime` or `sinceSeconds`/,
    ],
    ['far', {}, 500, /node "n9" of the pod cannot be reached/],
    ['no', {}, 404, /pods "no" not found/],
  ]
  for (const [name, query, status, message] of cases) {
    const reply = await read(name, query)
    assert.equal(reply.status, status, JSON.stringify([name, query, reply.object]))
    assert.match(reply.object.message, message)
  }
  await api.server.close()
})

test('pods/exec, attach and portforward are for who may create them, even where they begin with a GET', async () => {
  const { server, send } = await startServer()
  await send(ADMIN, 'POST', PODS, pod('p', { nodeName: 'n1' }))
  const metadata = { name: 'reader', namespace: 'default' }
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' }
  const resources = ['pods/exec', 'pods/attach', 'pods/portforward']
  await send(ADMIN, 'POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles', {
    ...rbac,
    kind: 'Role',
    metadata,
    rules: [{ verbs: ['get'], apiGroups: [''], resources }],
  })
  await send(ADMIN, 'POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings', {
    ...rbac,
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'ann' }],
  })
  for (const name of ['exec', 'attach', 'portforward']) {
    const query = { stdout: 'true', command: 'id' }
    const refused = await send(person('ann'), 'GET', `${PODS}/p/${name}`, undefined, { query })
    assert.equal(refused.status, 403, name)
    assert.match(refused.object.message, /cannot create resource "pods\//)
  }
  await server.close()
})

test('pods/resize and pods/ephemeralcontainers change their part of a pod and no other', async () => {
  const { server, send } = await startServer()
  const contentType = 'application/strategic-merge-patch+json'
  const half = { requests: { cpu: '500m' }, limits: { cpu: '1' } }
  const made = pod('p')
  Object.assign(made.spec.containers[0]!, { resources: half })
  await send(ADMIN, 'POST', PODS, made)
  const [{ name, image }] = made.spec.containers as [{ name: string; image: string }]
  const patch = (part: string, spec: object) =>
    send(ADMIN, 'PATCH', `${PODS}/p/${part}`, { metadata: { labels: { a: 'b' } }, spec }, { contentType })
  const resized = await patch('resize', {
    containers: [{ name, image: 'other', resources: { requests: { cpu: '1' } } }],
  })
  assert.equal(resized.status, 200)
  const { metadata, spec } = resized.object
  assert.deepEqual([metadata.generation, metadata.labels, spec.containers[0].image], [2, undefined, image])
  assert.deepEqual(spec.containers[0].resources, { requests: { cpu: '1' }, limits: { cpu: '1' } })
  const owned = metadata.managedFields.find((each: { subresource?: string }) => each.subresource === 'resize')
  // As a real server has it, what is not changed is owned all the same by who says it.
  for (const field of [/f:resources/, /f:image/, /f:labels/]) assert.match(JSON.stringify(owned.fieldsV1), field)
  const added = await patch('ephemeralcontainers', {
    tolerations: [{ operator: 'Exists' }],
    ephemeralContainers: [{ name: 'debugger', image: 'busybox', targetContainerName: name }],
  })
  assert.deepEqual([added.status, added.object.metadata.generation, added.object.spec.tolerations.length], [200, 3, 2])
  assert.equal(added.object.spec.ephemeralContainers[0].imagePullPolicy, 'Always')
  const shown = await send(ADMIN, 'GET', `${PODS}/p/ephemeralcontainers`)
  assert.deepEqual(shown.object, added.object)
  await server.close()
})

test('access reviews answer for others and for oneself', async () => {
  const { server, send } = await startServer()
  const kinds = '/apis/authorization.k8s.io/v1'
  const review = async (path: string, kind: string, spec: object, user = ADMIN) =>
    (await send(user, 'POST', `${kinds}/${path}`, { apiVersion: 'authorization.k8s.io/v1', kind, spec })).object
  const resourceAttributes = { verb: 'create', resource: 'pods', subresource: 'binding', namespace: 'default' }
  const scheduler = await review('subjectaccessreviews', 'SubjectAccessReview', {
    resourceAttributes,
    user: 'system:kube-scheduler',
  })
  assert.equal(scheduler.status.allowed, true)
  assert.match(scheduler.status.reason, /RBAC: allowed by ClusterRoleBinding "system:kube-scheduler"/)
  const own = await review(
    'selfsubjectaccessreviews',
    'SelfSubjectAccessReview',
    { resourceAttributes },
    person('system:kube-scheduler'),
  )
  assert.equal(own.status.allowed, true)
  const local = await review('namespaces/kube-system/localsubjectaccessreviews', 'LocalSubjectAccessReview', {
    resourceAttributes,
    user: 'x',
  })
  assert.match(local.message, /must match metadata.namespace/)
  const neither = await review('subjectaccessreviews', 'SubjectAccessReview', { user: 'x' })
  assert.match(neither.message, /exactly one of nonResourceAttributes or resourceAttributes must be specified/)
  const rules = await review('selfsubjectrulesreviews', 'SelfSubjectRulesReview', { namespace: 'default' }, person('x'))
  assert.equal(rules.status.incomplete, false)
  assert.ok(
    rules.status.nonResourceRules.some((rule: { nonResourceURLs: string[] }) =>
      rule.nonResourceURLs.includes('/version'),
    ),
  )
  const masters = await review('selfsubjectrulesreviews', 'SelfSubjectRulesReview', { namespace: 'default' })
  const everything = (rules: { verbs: string[]; nonResourceURLs?: string[] }[]) =>
    rules.filter(({ verbs, nonResourceURLs }) => verbs.includes('*') && (nonResourceURLs ?? ['*']).includes('*')).length
  assert.equal(everything(masters.status.resourceRules), 1)
  assert.equal(everything(masters.status.nonResourceRules), 1)
  await server.close()
})
