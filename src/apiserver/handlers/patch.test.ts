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
