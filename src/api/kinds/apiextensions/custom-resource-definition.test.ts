import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CustomResourceDefinition } from './custom-resource-definition.ts'

const schema = { openAPIV3Schema: { type: 'object' } }
const spec = {
  group: 'example.com',
  scope: 'Namespaced',
  names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
  conversion: { strategy: 'None' },
  versions: [{ name: 'v1', served: true, storage: true, schema }],
}
const status = { acceptedNames: { plural: '', kind: '' }, storedVersions: ['v1'] }
const GOOD = { metadata: { name: 'things.example.com' }, spec, status } as CustomResourceDefinition

function fieldsOf(next: CustomResourceDefinition, old?: CustomResourceDefinition) {
  const found = CustomResourceDefinition.rules!.flatMap(rule => rule(next, old, { subresource: '', now: 0 }))
  return found.map(({ field }) => field)
}

test('CustomResourceDefinition says that a name is not that of its plural and group, of new ones only', () => {
  const other = { ...GOOD, metadata: { name: 'others.example.com' } }
  assert.deepEqual(fieldsOf(GOOD), [])
  assert.deepEqual(fieldsOf(other), ['metadata.name'])
  assert.deepEqual(fieldsOf(other, other), [])
})

test('CustomResourceDefinition takes a default at the root for a resource, which says what it is', () => {
  const versions = [{ ...spec.versions[0]!, schema: { openAPIV3Schema: { type: 'object', default: {} } } }]
  const at = 'spec.validation.openAPIV3Schema.default'
  assert.deepEqual(fieldsOf({ ...GOOD, spec: { ...spec, versions } }), [`${at}.apiVersion`, `${at}.kind`])
})

test('CustomResourceDefinition notes a new storage version without a change of the stored status', () => {
  const versions = [{ ...spec.versions[0]!, name: 'v2' }]
  const next = { ...GOOD, spec: { ...spec, versions } } as CustomResourceDefinition
  CustomResourceDefinition.prepareUpdate!(next, GOOD, { subresource: '', now: 0 })
  assert.deepEqual(next.status?.storedVersions, ['v1', 'v2'])
  assert.deepEqual(GOOD.status?.storedVersions, ['v1'])
})
