import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADMIN, startServer } from '../bootstrap/server.fixture.ts'

const PATH = '/api/v1/namespaces/default/configmaps'
const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { a: 'b' } }
const into = 'into Go value of type map[string]interface {}'

/** As a Kubernetes 1.36 server answers: type of patch, patch, fieldValidation, message. */
const CASES: readonly (readonly [string, unknown, string, string])[] = [
  ['merge', [], 'Warn', `error decoding patch: json: cannot unmarshal array ${into}`],
  ['merge', 3, 'Strict', `error decoding patch: json: cannot unmarshal number ${into}`],
  ['merge', true, 'Warn', `error decoding patch: json: cannot unmarshal bool ${into}`],
  ['merge', 'x', 'Warn', `error decoding patch: json: cannot unmarshal string ${into}`],
  ['merge', 3, 'Ignore', 'Invalid JSON Patch'],
  ['strategic-merge', [], 'Warn', `json: cannot unmarshal array ${into}`],
  ['strategic-merge', 3, 'Ignore', `json: cannot unmarshal number ${into}`],
]

test('PATCH with a body that is no object is refused in the words of Kubernetes', async () => {
  const api = await startServer()
  await api.send(ADMIN, 'POST', PATH, map)
  for (const [type, patch, fieldValidation, message] of CASES) {
    const options = { contentType: `application/${type}-patch+json`, query: { fieldValidation } }
    const { status, object } = await api.send(ADMIN, 'PATCH', `${PATH}/a`, patch as object, options)
    const name = `${type} ${JSON.stringify(patch)} ${fieldValidation}`
    assert.deepEqual([status, object.message], [400, message], name)
  }
  await api.server.close()
})

test('PATCH that replaces the whole object need not say what the object is', async () => {
  const api = await startServer()
  await api.send(ADMIN, 'POST', PATH, map)
  const patch = { $patch: 'replace', metadata: { name: 'a' } }
  const contentType = 'application/strategic-merge-patch+json'
  const { status, object } = await api.send(ADMIN, 'PATCH', `${PATH}/a`, patch, { contentType })
  assert.deepEqual([status, object.kind, object.data], [200, 'ConfigMap', undefined])
  await api.server.close()
})

test('PATCH by strategic merge says which type a value does not go into', async () => {
  const api = await startServer()
  const path = '/apis/apps/v1/namespaces/default/deployments'
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  const spec = { selector: { matchLabels: { a: 'b' } }, template }
  await api.send(ADMIN, 'POST', path, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' }, spec })
  // As a Kubernetes 1.36 server answers.
  for (const [patch, value, told] of [
    [{ replicas: 'x' }, 'map[replicas:x]', 'unrecognized type: int32'],
    [{ replicas: 1.5 }, 'map[replicas:1.5]', 'cannot convert float64 to int32'],
    [
      { selector: { matchLabels: { a: 1 } } },
      'map[selector:map[matchLabels:map[a:1]]]',
      'cannot convert int64 to string',
    ],
    [{ template: 'x' }, 'map[template:x]', 'cannot restore struct from: string'],
    [
      { template: { metadata: { labels: 'x' } } },
      'map[template:map[metadata:map[labels:x]]]',
      'cannot restore map from string',
    ],
    [
      { template: { spec: { tolerations: 'x' } } },
      'map[template:map[spec:map[tolerations:x]]]',
      'cannot restore slice from string',
    ],
    [
      { template: { spec: { restartPolicy: {} } } },
      'map[template:map[spec:map[restartPolicy:map[]]]]',
      'unrecognized type: string',
    ],
  ] as const) {
    const options = { contentType: 'application/strategic-merge-patch+json' }
    const { status, object } = await api.send(ADMIN, 'PATCH', `${path}/a`, { spec: patch }, options)
    assert.deepEqual(
      [status, object.message],
      [422, ` "" is invalid: patch: Invalid value: "map[spec:${value}]": ${told}`],
    )
  }
  await api.server.close()
})
