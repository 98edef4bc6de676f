import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { createWorld } from '../../control/simulate.ts'
import { ephemeralVolumeController } from './controller.ts'

const template = { metadata: { labels: { a: 'b' } }, spec: { accessModes: ['ReadWriteOnce' as const] } }
const pod: Pod = {
  metadata: { name: 'p', uid: 'u' },
  spec: { containers: [], volumes: [{ name: 'scratch', ephemeral: { volumeClaimTemplate: template } }] },
}

test('a generic ephemeral volume gets a claim that is the pod’s own', () => {
  const { put, list, settle } = createWorld()
  put<Pod>(Pod, pod)
  settle(ephemeralVolumeController, 'default/p', 0)
  const [claim] = list<PersistentVolumeClaim>(PersistentVolumeClaim)
  assert.equal(claim?.metadata?.name, 'p-scratch')
  assert.deepEqual(claim?.metadata?.labels, { a: 'b' })
  assert.equal(claim?.metadata?.ownerReferences?.[0]?.uid, 'u')
  assert.deepEqual(claim?.spec?.accessModes, ['ReadWriteOnce'])
})

test('a claim of that name that is not the pod’s is told, and left alone', () => {
  const { put, list, settle, notes } = createWorld()
  put<Pod>(Pod, pod)
  put<PersistentVolumeClaim>(PersistentVolumeClaim, { metadata: { name: 'p-scratch' } })
  settle(ephemeralVolumeController, 'default/p', 0)
  assert.equal(list<PersistentVolumeClaim>(PersistentVolumeClaim)[0]?.metadata?.ownerReferences, undefined)
  assert.equal(notes[0]?.message, 'PVC "p-scratch" is not owned by pod "p"')
})
