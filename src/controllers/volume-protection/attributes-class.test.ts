import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts'
import { VolumeAttributesClass } from '../../api/kinds/storage/volume-attributes-class.ts'
import { createWorld } from '../../control/simulate.ts'
import { attributesClassProtection } from './attributes-class.ts'

test('an attributes class is held while a claim has it', () => {
  const { put, list, settle, remove } = createWorld()
  const metadata = {
    name: 'gold',
    finalizers: ['kubernetes.io/vac-protection'],
    deletionTimestamp: '2026-01-01T00:00:00Z',
  }
  put<VolumeAttributesClass>(VolumeAttributesClass, { metadata, driverName: 'd' })
  put<PersistentVolumeClaim>(PersistentVolumeClaim, {
    metadata: { name: 'c' },
    status: { currentVolumeAttributesClassName: 'gold' },
  })
  const finalizers = () => list<VolumeAttributesClass>(VolumeAttributesClass)[0]?.metadata?.finalizers
  settle(attributesClassProtection, 'gold', 0)
  assert.deepEqual(finalizers(), ['kubernetes.io/vac-protection'])
  remove(PersistentVolumeClaim, 'default/c')
  settle(attributesClassProtection, 'gold', 0)
  assert.deepEqual(finalizers(), [])
})
