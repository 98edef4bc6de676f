import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PersistentVolume } from '../../api/kinds/core/persistent-volume.ts'
import { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { createWorld } from '../../control/simulate.ts'
import { claimProtection, volumeProtection } from './controller.ts'

const DELETED = { deletionTimestamp: '2026-01-01T00:00:00Z' }

test('a claim is held while a pod on a node uses it, and let go with the pod', () => {
  const { put, list, settle, remove } = createWorld()
  const finalizers = () => list<PersistentVolumeClaim>(PersistentVolumeClaim)[0]?.metadata?.finalizers
  const pass = () => settle(claimProtection, 'default/data', 0)
  put<PersistentVolumeClaim>(PersistentVolumeClaim, { metadata: { name: 'data' } })
  pass()
  assert.deepEqual(finalizers(), ['kubernetes.io/pvc-protection'])
  put<Pod>(Pod, {
    metadata: { name: 'p' },
    spec: { nodeName: 'n', containers: [], volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }] },
  })
  const claim = list<PersistentVolumeClaim>(PersistentVolumeClaim)[0]
  put<PersistentVolumeClaim>(PersistentVolumeClaim, { metadata: { ...claim?.metadata, ...DELETED } })
  pass()
  assert.deepEqual(finalizers(), ['kubernetes.io/pvc-protection'])
  remove(Pod, 'default/p')
  pass()
  assert.deepEqual(finalizers(), [])
})

for (const [phase, expected] of [
  ['Bound', ['kubernetes.io/pv-protection']],
  ['Released', []],
] as const) {
  test(`a volume that is deleted while ${phase} has the finalizers ${JSON.stringify(expected)}`, () => {
    const { put, list, settle } = createWorld()
    const metadata = { name: 'v', finalizers: ['kubernetes.io/pv-protection'], ...DELETED }
    put<PersistentVolume>(PersistentVolume, { metadata, status: { phase } })
    settle(volumeProtection, 'v', 0)
    assert.deepEqual(list<PersistentVolume>(PersistentVolume)[0]?.metadata?.finalizers, expected)
  })
}
