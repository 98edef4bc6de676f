import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Encoded, encodeForStore, stampRevision } from './encoded.ts'

describe('stampRevision', () => {
  it('stampRevision puts the revision into the slot, and nothing else changes', () => {
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'ä', resourceVersion: '7', annotations: { x: '"resourceVersion":"' } },
      data: { '"resourceVersion":"': 'y' },
    }
    const stored = encodeForStore(object)
    const bytes = stampRevision(stored, 12345)
    const expected = { ...object, metadata: { ...object.metadata, resourceVersion: '12345' } }
    assert.deepEqual(JSON.parse(bytes.toString()), expected)
    assert.deepEqual(new Encoded(bytes, 12345).value, expected)
    assert.equal(JSON.parse(stored.toString()).metadata.resourceVersion, '')
    assert.equal(object.metadata.resourceVersion, '7')
  })

  it('stampRevision refuses bytes without a slot', () => {
    assert.throws(() => stampRevision(Buffer.from('{}'), 1), /no resourceVersion slot/)
  })
})
