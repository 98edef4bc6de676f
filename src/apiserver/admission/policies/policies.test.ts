import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ADMIN, type Reply, startServer, type TestServer } from '../../bootstrap/server.fixture.ts'

/** A policy and its binding, and what comes of creating the ConfigMaps `bad` and `good`. */
interface PolicyCase {
  readonly name: string
  readonly mutating: boolean
  readonly spec: object
  readonly binding: object
  /** `created` with labels, data and warnings, or status, reason and message; the policy is P, its binding B. */
  readonly bad: string
  readonly good: string
}

/** One a line; the answers are those of a kube-apiserver of 1.36. */
const lines = readFileSync(new URL('./testdata/policies.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
const POLICY_CASES: readonly PolicyCase[] = lines.map(line => JSON.parse(line))

const GROUP = '/apis/admissionregistration.k8s.io/v1'
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'

/** Makes a policy and its binding; about ConfigMaps, unless the spec says otherwise. */
async function bind(server: TestServer, mutating: boolean, name: string, spec: object, binding: object) {
  const [kind, path] = mutating ? ['MutatingAdmissionPolicy', 'mutating'] : ['ValidatingAdmissionPolicy', 'validating']
  const apiVersion = 'admissionregistration.k8s.io/v1'
  const operations = mutating ? ['CREATE', 'UPDATE'] : ['CREATE', 'UPDATE', 'DELETE']
  const rule = { apiGroups: [''], apiVersions: ['v1'], operations, resources: ['configmaps'] }
  const policy = await server.send(ADMIN, 'POST', `${GROUP}/${path}admissionpolicies`, {
    apiVersion,
    kind,
    metadata: { name },
    spec: {
      matchConstraints: { resourceRules: [rule] },
      ...(mutating && { reinvocationPolicy: 'Never' }),
      ...spec,
    },
  })
  assert.equal(policy.status, 201, JSON.stringify(policy.object))
  const bound = await server.send(ADMIN, 'POST', `${GROUP}/${path}admissionpolicybindings`, {
    apiVersion,
    kind: `${kind}Binding`,
    metadata: { name: `${name}-b` },
    spec: { policyName: name, ...(!mutating && { validationActions: ['Deny'] }), ...binding },
  })
  assert.equal(bound.status, 201, JSON.stringify(bound.object))
}

const configMap = (name: string, labels?: object) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...(labels && { labels }) },
  data: { k: 'v' },
})

function shown({ status, object, warnings }: Reply, { mutating, name }: PolicyCase): string {
  const made = mutating ? [JSON.stringify({ ...object.metadata?.labels, ...object.data })] : []
  const text =
    status === 201 ? ['created', ...made, ...warnings].join(' ') : `${status} ${object.reason} ${object.message}`
  return text.replaceAll(`${name}-b`, 'B').replaceAll(`'${name}'`, "'P'")
}

test('policies judge and change requests as in Kubernetes', async () => {
  for (const each of POLICY_CASES) {
    const server = await startServer()
    await bind(server, each.mutating, each.name, each.spec, each.binding)
    const bad = await server.send(ADMIN, 'POST', CONFIG_MAPS, configMap('bad'))
    const good = await server.send(ADMIN, 'POST', CONFIG_MAPS, configMap('good', { a: 'b' }))
    assert.deepEqual([shown(bad, each), shown(good, each)], [each.bad, each.good], each.name)
  }
})

test('ValidatingAdmissionPolicy sees the old object of updates and deletions', async () => {
  const server = await startServer()
  await bind(
    server,
    false,
    'keep',
    {
      validations: [
        { expression: "request.operation != 'DELETE' || oldObject.data.k != 'v'", message: 'kept' },
        { expression: "request.operation != 'UPDATE' || object.data.k > oldObject.data.k", message: 'must grow' },
      ],
    },
    {},
  )
  await server.send(ADMIN, 'POST', CONFIG_MAPS, configMap('a'))
  const deleted = await server.send(ADMIN, 'DELETE', `${CONFIG_MAPS}/a`)
  assert.match(deleted.object.message, /denied request: kept$/)
  const smaller = await server.send(ADMIN, 'PUT', `${CONFIG_MAPS}/a`, { ...configMap('a'), data: { k: 'a' } })
  assert.match(smaller.object.message, /denied request: must grow$/)
  const bigger = await server.send(ADMIN, 'PUT', `${CONFIG_MAPS}/a`, { ...configMap('a'), data: { k: 'w' } })
  assert.equal(bigger.status, 200)
  assert.equal((await server.send(ADMIN, 'DELETE', `${CONFIG_MAPS}/a`)).status, 200)
})

test('a policy ends with its binding, and begins with a new revision', async () => {
  const server = await startServer()
  await bind(server, false, 'p', { validations: [{ expression: "object.metadata.name != 'a'" }] }, {})
  assert.equal((await server.send(ADMIN, 'POST', CONFIG_MAPS, configMap('a'))).status, 422)
  const path = `${GROUP}/validatingadmissionpolicies/p`
  const object = structuredClone((await server.send(ADMIN, 'GET', path)).object)
  object.spec.validations[0].expression = "object.metadata.name != 'b'"
  assert.equal((await server.send(ADMIN, 'PUT', path, object)).status, 200)
  assert.equal((await server.send(ADMIN, 'POST', CONFIG_MAPS, configMap('a'))).status, 201)
  assert.equal((await server.send(ADMIN, 'POST', CONFIG_MAPS, configMap('b'))).status, 422)
  await server.send(ADMIN, 'DELETE', `${GROUP}/validatingadmissionpolicybindings/p-b`)
  assert.equal((await server.send(ADMIN, 'POST', CONFIG_MAPS, configMap('b'))).status, 201)
})

test('MutatingAdmissionPolicy changes nothing in a dry run, and merges lists by their keys', async () => {
  const server = await startServer()
  const containers =
    "[Object.spec.containers{name: 'side', image: 'x'}, Object.spec.containers{name: 'main', stdin: true}]"
  const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }
  const expression = `Object{spec: Object.spec{containers: ${containers}}}`
  await bind(
    server,
    true,
    'side',
    {
      matchConstraints: { resourceRules: [rule] },
      mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }],
    },
    {},
  )
  const body = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'main', image: 'm' }] },
  }
  const pods = '/api/v1/namespaces/default/pods'
  const dry = await server.send(ADMIN, 'POST', pods, body, { query: { dryRun: 'All' } })
  assert.equal(dry.status, 201, JSON.stringify(dry.object))
  const names = dry.object.spec.containers.map((each: { name: string; stdin?: boolean }) => [each.name, each.stdin])
  assert.deepEqual(names, [
    ['side', undefined],
    ['main', true],
  ])
  assert.equal((await server.send(ADMIN, 'GET', `${pods}/p`)).status, 404)
})
