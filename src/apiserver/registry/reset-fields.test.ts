import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kinds } from '../../api/kinds/all.ts'
import { pathsOf } from '../../api/machinery/apply/field-set.ts'
import { resetFields } from './reset-fields.ts'

const cases: [key: string, subresource: string, fields: string[]][] = [
  ['v1/configmaps', '', []],
  ['apps/v1/replicasets', '', ['status']],
  ['apps/v1/replicasets', 'status', ['spec']],
  ['apps/v1/deployments', 'status', ['spec', 'metadata.labels']],
  ['resource.k8s.io/v1/resourceclaims', 'status', ['spec', 'metadata']],
  ['certificates.k8s.io/v1/certificatesigningrequests', '', ['spec', 'status']],
  ['certificates.k8s.io/v1/certificatesigningrequests', 'approval', ['spec', 'status.certificate']],
]
for (const [key, subresource, fields] of cases) {
  test(`resetFields of ${key} at ${subresource || 'the main endpoint'} are ${fields.join(' and ') || 'none'}`, () => {
    const found = pathsOf(resetFields(kinds.find(kind => kind.key === key)!, subresource))
    assert.deepEqual(found.map(path => path.map(step => step.slice(2)).join('.')).sort(), [...fields].sort())
  })
}
