import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADMIN, startServer, type TestServer } from '../../bootstrap/server.fixture.ts'

const REGISTRATION = '/apis/admissionregistration.k8s.io/v1'
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'
const SCALERS = '/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers'
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'

type Request = readonly ['DELETE' | 'POST' | 'PUT', string, object?]

interface Rule {
  readonly group?: string
  readonly version?: string
  readonly resource: string
  readonly rule?: object
  readonly constraints?: object
  readonly condition?: string
  readonly binding?: object
}

const deployment = (more: object = {}) => ({
  metadata: { name: 'd' },
  spec: {
    replicas: 1,
    selector: { matchLabels: { a: 'b' } },
    template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x' }] } },
    ...more,
  },
})
const scaler = {
  metadata: { name: 'h' },
  spec: {
    maxReplicas: 3,
    targetCPUUtilizationPercentage: 55,
    scaleTargetRef: { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' },
  },
}
const configMap = (name: string, labels: object = {}) => ({ metadata: { name, labels } })
const POD = { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'x' }] } }

/** What a policy by this rule, which denies everything and says `tell`, says of the requests; `-` of those it allows. */
async function told(server: TestServer, rule: Rule, tell: string, ...requests: Request[]): Promise<string[]> {
  const { group = '', version = '*', resource } = rule
  const rules = [{ apiGroups: [group], apiVersions: [version], operations: ['*'], resources: [resource], ...rule.rule }]
  const spec = {
    matchConstraints: { resourceRules: rules, ...rule.constraints },
    matchConditions: rule.condition ? [{ name: 'c', expression: rule.condition }] : [],
    validations: [{ expression: 'false', messageExpression: tell }],
  }
  const binding = { policyName: 'p', validationActions: ['Deny'], ...rule.binding }
  await server.send(ADMIN, 'POST', `${REGISTRATION}/validatingadmissionpolicies`, { metadata: { name: 'p' }, spec })
  await server.send(ADMIN, 'POST', `${REGISTRATION}/validatingadmissionpolicybindings`, {
    metadata: { name: 'b' },
    spec: binding,
  })
  const answers: string[] = []
  for (const [method, path, body] of requests) {
    const { status, object } = await server.send(ADMIN, method, path, body)
    answers.push(status === 422 ? (object.message?.split('denied request: ')[1] ?? 'refused') : '-')
    if (status !== 422) assert.ok(status < 300, JSON.stringify(object))
  }
  await server.send(ADMIN, 'DELETE', `${REGISTRATION}/validatingadmissionpolicybindings/b`)
  await server.send(ADMIN, 'DELETE', `${REGISTRATION}/validatingadmissionpolicies/p`)
  return answers
}

test('ValidatingAdmissionPolicy sees a request in the version of its rule', async () => {
  const server = await startServer()
  const seen =
    "request.kind.version + ' ' + request.resource.version + ' ' + request.requestKind.version + ' ' + object.apiVersion + ' ' + string(has(object.spec.metrics))"
  const rule = { group: 'autoscaling', version: 'v2', resource: 'horizontalpodautoscalers' }
  const create: Request = ['POST', SCALERS, scaler]
  assert.deepEqual(await told(server, rule, seen, create), ['v2 v2 v1 autoscaling/v2 true'])
  const condition = "request.kind.version == 'v2' && request.resource.version == 'v1' && has(object.spec.metrics)"
  assert.deepEqual(await told(server, { ...rule, condition }, "'no'", create), ['no'])
  const exact = { ...rule, constraints: { matchPolicy: 'Exact' } }
  assert.deepEqual(await told(server, exact, seen, create), ['-'])
})

test('ValidatingAdmissionPolicy sees subresources in their own types', async () => {
  const server = await startServer()
  await server.send(ADMIN, 'POST', DEPLOYMENTS, deployment())
  const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'd' }, spec: { replicas: 2 } }
  const ofScale =
    "request.kind.kind + ' ' + request.resource.resource + '/' + request.subResource + ' ' + object.kind + ' ' + string(object.spec.replicas) + ' ' + string(oldObject.spec.replicas)"
  assert.deepEqual(
    await told(
      server,
      { group: 'apps', resource: 'deployments/scale' },
      ofScale,
      ['PUT', `${DEPLOYMENTS}/d/scale`, scale],
      ['PUT', `${DEPLOYMENTS}/d`, deployment()],
    ),
    ['Scale deployments/scale Scale 2 1', '-'],
  )
  const status = { ...deployment(), status: { replicas: 1 } }
  assert.deepEqual(
    await told(server, { group: 'apps', resource: 'deployments/*' }, "request.?subResource.orValue('none')", [
      'PUT',
      `${DEPLOYMENTS}/d/status`,
      status,
    ]),
    ['status'],
  )
  await server.send(ADMIN, 'POST', '/api/v1/namespaces/default/pods', POD)
  assert.deepEqual(
    await told(
      server,
      { resource: 'pods/eviction' },
      "request.kind.kind + ' ' + object.kind + ' ' + request.name + ' ' + string(oldObject == null)",
      ['POST', '/api/v1/namespaces/default/pods/p/eviction', { metadata: { name: 'p' } }],
    ),
    ['Eviction Eviction p true'],
  )
})

test('ValidatingAdmissionPolicy sees a namespace in itself, and other cluster objects in none', async () => {
  const server = await startServer()
  const seen = "request.?namespace.orValue('none') + ' ' + string(namespaceObject == null)"
  const namespace: Request = ['POST', '/api/v1/namespaces', { metadata: { name: 'n' } }]
  const node: Request = ['POST', '/api/v1/nodes', { metadata: { name: 'n' } }]
  const cluster = { resource: '*', rule: { scope: 'Cluster' } }
  const map: Request = ['POST', CONFIG_MAPS, configMap('a')]
  assert.deepEqual(await told(server, cluster, seen, namespace, node, map), ['n true', 'none true', '-'])
  const namespaced = { resource: '*', rule: { scope: 'Namespaced' } }
  const other: Request = ['POST', CONFIG_MAPS, configMap('b')]
  assert.deepEqual(await told(server, namespaced, seen, namespace, other), ['-', 'default false'])
})

test('ValidatingAdmissionPolicy asks only about what its selectors, exclusions and bindings choose', async () => {
  const server = await startServer()
  const rule = { resource: 'configmaps' }
  let count = 0
  const both = (): Request[] => [
    ['POST', CONFIG_MAPS, configMap(`plain-${count}`)],
    ['POST', CONFIG_MAPS, configMap(`chosen-${count++}`, { a: 'b' })],
  ]
  const objectSelector = { matchLabels: { a: 'b' } }
  const named = (name: string) => ({
    apiGroups: ['*'],
    apiVersions: ['*'],
    operations: ['*'],
    resources: ['*'],
    resourceNames: [name],
  })
  for (const narrow of [
    { constraints: { objectSelector } },
    { binding: { matchResources: { objectSelector } } },
    { constraints: { excludeResourceRules: [named('plain-2')] } },
    { binding: { matchResources: { resourceRules: [named('chosen-3')] } } },
  ])
    assert.deepEqual(await told(server, { ...rule, ...narrow }, "'no'", ...both()), ['-', 'no'])
  const elsewhere = { matchLabels: { 'kubernetes.io/metadata.name': 'elsewhere' } }
  const away = { ...rule, constraints: { namespaceSelector: elsewhere } }
  assert.deepEqual(await told(server, away, "'no'", ...both()), ['-', '-'])
})
