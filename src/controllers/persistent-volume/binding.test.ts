import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Node } from '../../api/kinds/core/node.ts'
import { PersistentVolume } from '../../api/kinds/core/persistent-volume.ts'
import { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { StorageClass } from '../../api/kinds/storage/storage-class.ts'
import { createWorld } from '../../control/simulate.ts'
import { claimBinder } from './claims.ts'
import { volumePhases } from './volumes.ts'

function world() {
  const made = createWorld()
  const volume = (name: string, spec: object = {}, more: object = {}) =>
    made.put<PersistentVolume>(PersistentVolume, {
      metadata: { name, ...more },
      spec: { capacity: { storage: '5Gi' }, accessModes: ['ReadWriteOnce'], storageClassName: 'fast', ...spec },
    } as PersistentVolume)
  const claim = (name: string, spec: object = {}, more: object = {}) =>
    made.put<PersistentVolumeClaim>(PersistentVolumeClaim, {
      metadata: { name, ...more },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'fast',
        resources: { requests: { storage: '1Gi' } },
        ...spec,
      },
      status: { phase: 'Pending' },
    } as PersistentVolumeClaim)
  const claims = () => made.list<PersistentVolumeClaim>(PersistentVolumeClaim)
  const volumes = () => made.list<PersistentVolume>(PersistentVolume)
  const settle = () => {
    for (let round = 0; round < 4; round++) {
      for (const each of volumes()) made.settle(volumePhases, each.metadata?.name ?? '', 0)
      for (const each of claims()) made.settle(claimBinder, `default/${each.metadata?.name}`, 0)
    }
  }
  const shown = () => ({
    claims: Object.fromEntries(
      claims().map(each => [each.metadata?.name, `${each.status?.phase} ${each.spec?.volumeName ?? ''}`.trim()]),
    ),
    volumes: Object.fromEntries(volumes().map(each => [each.metadata?.name, each.status?.phase])),
  })
  return { ...made, volume, claim, claims, volumes, settle, shown }
}

test('a claim gets the smallest free volume that suits, and both say so', () => {
  const { volume, claim, settle, shown, claims } = world()
  volume('large', { capacity: { storage: '9Gi' } })
  volume('small', { capacity: { storage: '2Gi' } })
  volume('tiny', { capacity: { storage: '1Mi' } })
  volume('other', { storageClassName: 'slow' })
  volume('block', { volumeMode: 'Block' })
  claim('data')
  settle()
  assert.deepEqual(shown(), {
    claims: { data: 'Bound small' },
    volumes: { large: 'Available', small: 'Bound', tiny: 'Available', other: 'Available', block: 'Available' },
  })
  assert.deepEqual(claims()[0]?.status, {
    phase: 'Bound',
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '2Gi' },
  })
  assert.deepEqual(claims()[0]?.metadata?.annotations, {
    'pv.kubernetes.io/bound-by-controller': 'yes',
    'pv.kubernetes.io/bind-completed': 'yes',
  })
})

test('two claims never get the same volume', () => {
  const { volume, claim, settle, shown } = world()
  volume('one')
  claim('a')
  claim('b')
  settle()
  assert.deepEqual(Object.values(shown().claims).sort(), ['Bound one', 'Pending'])
})

test('a volume that is reserved for a claim goes to it, whatever else is free', () => {
  const { volume, claim, settle, shown } = world()
  volume('free', { capacity: { storage: '1Gi' } })
  volume('reserved', { claimRef: { namespace: 'default', name: 'data' } })
  claim('data')
  settle()
  assert.equal(shown().claims.data, 'Bound reserved')
})

test('a claim that names a volume gets it, or is told why not', () => {
  const { volume, claim, settle, shown, notes } = world()
  volume('wanted')
  volume('wrong', { storageClassName: 'slow' })
  claim('good', { volumeName: 'wanted' })
  claim('bad', { volumeName: 'wrong' })
  settle()
  assert.deepEqual(shown().claims, { good: 'Bound wanted', bad: 'Pending wrong' })
  assert.ok(
    notes.some(each => each.message === 'Cannot bind to requested volume "wrong": storageClassName does not match'),
  )
})

test('a volume whose claim is gone is released, and stays so when it is retained', () => {
  const { volume, claim, settle, shown, remove } = world()
  volume('kept', { persistentVolumeReclaimPolicy: 'Retain' })
  claim('data')
  settle()
  remove(PersistentVolumeClaim, 'default/data')
  settle()
  assert.equal(shown().volumes.kept, 'Released')
  claim('data')
  settle()
  assert.deepEqual(shown(), { claims: { data: 'Pending' }, volumes: { kept: 'Released' } })
})

test('a released volume that nobody can delete fails with a reason', () => {
  const { volume, claim, settle, volumes, remove } = world()
  volume('gone', { persistentVolumeReclaimPolicy: 'Delete', hostPath: { path: '/data' } })
  claim('data')
  settle()
  remove(PersistentVolumeClaim, 'default/data')
  settle()
  assert.equal(volumes()[0]?.status?.phase, 'Failed')
  assert.match(volumes()[0]?.status?.message ?? '', /no deletable volume plugin matched/)
})

test('a claim whose volume is gone is lost', () => {
  const { volume, claim, settle, shown, remove } = world()
  volume('one')
  claim('data')
  settle()
  remove(PersistentVolume, 'one')
  settle()
  assert.equal(shown().claims.data, 'Lost one')
})

test('a claim that waits for its first consumer is bound to what the node of that pod reaches', () => {
  const { volume, claim, settle, shown, put, notes } = world()
  put<StorageClass>(StorageClass, {
    metadata: { name: 'fast' },
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'WaitForFirstConsumer',
  })
  const on = (name: string) => ({
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] }],
      },
    },
  })
  volume('at-a', on('a'))
  volume('at-b', on('b'))
  claim('data')
  settle()
  assert.equal(shown().claims.data, 'Pending')
  assert.equal(notes.at(-1)?.reason, 'WaitForFirstConsumer')
  put<Node>(Node, { metadata: { name: 'b' } })
  put<Pod>(Pod, {
    metadata: { name: 'p' },
    spec: { nodeName: 'b', containers: [], volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }] },
  })
  settle()
  assert.equal(shown().claims.data, 'Bound at-b')
})

test('a claim of a class with a provisioner says whose turn it is', () => {
  const { claim, settle, claims, put, notes } = world()
  put<StorageClass>(StorageClass, { metadata: { name: 'fast' }, provisioner: 'csi.example.com' })
  claim('data')
  settle()
  assert.equal(claims()[0]?.metadata?.annotations?.['volume.kubernetes.io/storage-provisioner'], 'csi.example.com')
  assert.equal(notes.at(-1)?.reason, 'ExternalProvisioning')
})

test('a bound claim that asks for more is told that somebody else has to make it grow', () => {
  const { volume, claim, claims, settle, put, notes } = world()
  volume('one', { capacity: { storage: '1Gi' } })
  claim('data')
  settle()
  const [bound] = claims()
  put<PersistentVolumeClaim>(PersistentVolumeClaim, {
    ...bound,
    spec: { ...bound?.spec, resources: { requests: { storage: '2Gi' } } },
  } as PersistentVolumeClaim)
  settle()
  assert.equal(notes.at(-1)?.reason, 'ExternalExpanding')
  assert.deepEqual(claims()[0]?.status?.capacity, { storage: '1Gi' })
})

test('a released volume is not recycled, and says so', () => {
  const { volume, claim, settle, volumes, remove } = world()
  volume('old', { persistentVolumeReclaimPolicy: 'Recycle' })
  claim('data')
  settle()
  remove(PersistentVolumeClaim, 'default/data')
  settle()
  assert.deepEqual(volumes()[0]?.status, { phase: 'Failed', message: 'No recycler plugin found for the volume!' })
})
