import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kinds } from '../../api/kinds/all.ts'
import { nodeUser } from '../bootstrap/server.fixture.ts'
import { admitClaim, admitSlice } from './node-writes.ts'
import { type AdmissionAttributes, admissionAttributes } from './plugin.ts'

const about = (key: string, more: Partial<AdmissionAttributes>) =>
  admissionAttributes({
    operation: 'UPDATE',
    kind: kinds.find(each => each.key === key)!,
    name: 'x',
    user: nodeUser('n1'),
    ...more,
  })

test('admitClaim lets a node report what became of a volume, and nothing else', () => {
  const claim = (status: object, labels = {}) => ({ metadata: { name: 'x', labels }, spec: {}, status }) as never
  const update = (object: never, old: never, subresource = 'status') =>
    admitClaim(about('v1/persistentvolumeclaims', { object, old, subresource }), 'n1')
  update(claim({ phase: 'Bound', capacity: { storage: '2Gi' } }), claim({ phase: 'Bound' }))
  const other = /node "n1" is not allowed to update fields other than status.quantity and status.conditions/
  assert.throws(() => update(claim({ phase: 'Lost' }), claim({ phase: 'Bound' })), { message: other })
  assert.throws(() => update(claim({}, { a: 'b' }), claim({})), { message: other })
  assert.throws(() => update(claim({}), claim({}), ''), { message: /may only update PVC status/ })
})

test('admitSlice keeps a node to slices of its own devices', () => {
  const slice = (nodeName?: string) => ({ metadata: { name: 'x' }, spec: { nodeName } }) as never
  const key = 'resource.k8s.io/v1/resourceslices'
  admitSlice(about(key, { operation: 'CREATE', object: slice('n1') }), 'n1')
  admitSlice(about(key, { operation: 'DELETE', old: slice('n1') }), 'n1')
  for (const name of ['n2', undefined]) {
    assert.throws(() => admitSlice(about(key, { operation: 'CREATE', object: slice(name) }), 'n1'), {
      message: /can only create ResourceSlice with the same NodeName as the requesting node/,
    })
    assert.throws(() => admitSlice(about(key, { operation: 'DELETE', old: slice(name) }), 'n1'), {
      message: /can only delete ResourceSlice with the same NodeName as the requesting node/,
    })
  }
})
