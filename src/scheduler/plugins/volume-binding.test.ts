import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PersistentVolume } from '../../api/kinds/core/persistent-volume.ts'
import type { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts'
import type { CSIStorageCapacity } from '../../api/kinds/storage/csi-storage-capacity.ts'
import type { StorageClass } from '../../api/kinds/storage/storage-class.ts'
import { bench, nodeOf, podOf } from '../scheduler.fixture.ts'
import { noStorage, type Storage } from '../storage.ts'

const only = (node: string) => ({
  nodeAffinity: {
    required: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }] },
  },
})
const waiting = { spec: { resources: { requests: { storage: '1Gi' } } } } as PersistentVolumeClaim
const selected = (node: string): PersistentVolumeClaim => ({
  ...waiting,
  metadata: { annotations: { 'volume.kubernetes.io/selected-node': node } },
})
const classOf = (provisioner: string): StorageClass => ({ metadata: { name: 'c' }, provisioner })
const topology = (node: string) => ({
  allowedTopologies: [{ matchLabelExpressions: [{ key: 'kubernetes.io/hostname', values: [node] }] }],
})
const capacityAt = (node: string, capacity: string): CSIStorageCapacity => ({
  storageClassName: 'c',
  capacity,
  nodeTopology: { matchLabels: { 'kubernetes.io/hostname': node } },
})
const volumeAt = (node: string) =>
  ({
    metadata: { name: `at-${node}` },
    spec: { capacity: { storage: '5Gi' }, ...only(node) },
    status: { phase: 'Available' },
  }) as PersistentVolume
const bound = { spec: { volumeName: 'v' }, status: { phase: 'Bound' } } as PersistentVolumeClaim

/** Two nodes, and a storage that tests change. */
function world() {
  let version = 0
  let claim: PersistentVolumeClaim | undefined
  let volume: PersistentVolume | undefined
  let mode = 'Immediate'
  let storageClass: StorageClass | undefined
  let free: readonly PersistentVolume[] = []
  let capacities: readonly CSIStorageCapacity[] | undefined
  const storage: Storage = {
    claim: key => (key === 'default/data' ? claim : undefined),
    volume: name => (name === 'v' ? volume : undefined),
    bindingMode: () => mode,
    storageClass: () => storageClass,
    volumesOf: () => free,
    capacities: () => capacities,
    volumeLimit: () => undefined,
    version: () => version,
  }
  const made = bench({}, storage)
  made.snapshot.setNode(nodeOf('a'))
  made.snapshot.setNode(nodeOf('b'))
  return {
    set(next: {
      claim?: PersistentVolumeClaim
      volume?: PersistentVolume
      mode?: string
      storageClass?: StorageClass
      free?: readonly PersistentVolume[]
      capacities?: readonly CSIStorageCapacity[]
    }) {
      storageClass = next.storageClass
      free = next.free ?? []
      capacities = next.capacities
      version++
      claim = next.claim
      volume = next.volume
      mode = next.mode ?? 'Immediate'
    },
    decide() {
      const volumes = [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }]
      const decision = made.decide(podOf('p', { spec: { volumes } }))
      return 'refusal' in decision ? decision.refusal.message : decision.nodeName
    },
  }
}

for (const [what, state, expected] of [
  ['whose claim is missing', {}, '0/2 nodes are available: persistentvolumeclaim "data" not found.'],
  [
    'whose claim is not bound',
    { claim: { spec: {} } as PersistentVolumeClaim },
    '0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.',
  ],
  [
    'whose claim waits for it, without a provisioner and without volumes',
    { claim: waiting, mode: 'WaitForFirstConsumer', storageClass: classOf('kubernetes.io/no-provisioner') },
    "0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind.",
  ],
  [
    'whose claim waits for it, and for which a volume is free at one node',
    { claim: waiting, mode: 'WaitForFirstConsumer', free: [volumeAt('b')] },
    'b',
  ],
  [
    'whose claim waits for it, and which can be provisioned',
    { claim: waiting, mode: 'WaitForFirstConsumer', storageClass: classOf('p') },
    'a',
  ],
  [
    'whose claim waits for it, and which can be provisioned at one node only',
    { claim: waiting, mode: 'WaitForFirstConsumer', storageClass: { ...classOf('p'), ...topology('b') } },
    'b',
  ],
  [
    'whose driver has room at one node only',
    {
      claim: waiting,
      mode: 'WaitForFirstConsumer',
      storageClass: classOf('p'),
      capacities: [capacityAt('a', '1Mi'), capacityAt('b', '2Gi')],
    },
    'b',
  ],
  [
    'whose driver has no room',
    { claim: waiting, mode: 'WaitForFirstConsumer', storageClass: classOf('p'), capacities: [] },
    '0/2 nodes are available: 2 node(s) did not have enough free storage.',
  ],
  [
    'whose claim was decided to be made at one node',
    { claim: selected('b'), mode: 'WaitForFirstConsumer', storageClass: classOf('p') },
    'b',
  ],
  ['whose volume can be reached from one node', { claim: bound, volume: { spec: only('b') } as PersistentVolume }, 'b'],
  [
    'whose volume is nowhere',
    { claim: bound, volume: { spec: only('c') } as PersistentVolume },
    "0/2 nodes are available: 2 node(s) didn't match PersistentVolume's node affinity.",
  ],
] as const) {
  test(`VolumeBinding knows where to put a pod ${what}`, () => {
    const { set, decide } = world()
    set(state)
    assert.equal(decide(), expected)
  })
}

test('VolumeBinding looks again when claims have changed', () => {
  const { set, decide } = world()
  set({ claim: { spec: {} } as PersistentVolumeClaim })
  assert.match(decide(), /unbound immediate/)
  set({ claim: bound, volume: { spec: only('b') } as PersistentVolume })
  assert.equal(decide(), 'b')
})

test('VolumeRestrictions lets one pod at a time use a claim that is for one', () => {
  const storage: Storage = {
    ...noStorage,
    claim: () => ({ ...bound, spec: { volumeName: 'v', accessModes: ['ReadWriteOncePod'] } }),
    volume: () => ({ spec: {} }) as PersistentVolume,
  }
  const { schedule, snapshot } = bench({}, storage)
  snapshot.setNode(nodeOf('a'))
  snapshot.setNode(nodeOf('b'))
  const pod = (name: string) =>
    podOf(name, { spec: { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }] } })
  assert.equal(schedule(pod('p')), 'a')
  const reason = 'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode'
  assert.equal(schedule(pod('q')), `0/2 nodes are available: 2 ${reason}.`)
  snapshot.removePod('p')
  assert.match(schedule(pod('q')), /^[ab]$/)
})

test('NodeVolumeLimits counts the volumes of a driver on a node, each once', () => {
  const storage: Storage = {
    ...noStorage,
    claim: key => ({ ...bound, spec: { volumeName: key.split('-')[1] ?? '' } }),
    volume: name => ({ spec: { csi: { driver: 'd', volumeHandle: name } } }) as PersistentVolume,
    volumeLimit: node => (node === 'a' ? 1 : undefined),
  }
  const { schedule, snapshot } = bench({}, storage)
  snapshot.setNode(nodeOf('a'))
  const pod = (name: string, claimName: string) =>
    podOf(name, { spec: { volumes: [{ name: 'd', persistentVolumeClaim: { claimName } }] } })
  assert.equal(schedule(pod('p', 'c-1')), 'a')
  assert.equal(schedule(pod('q', 'c-1')), 'a')
  assert.equal(schedule(pod('r', 'c-2')), '0/1 nodes are available: 1 node(s) exceed max volume count.')
  snapshot.setNode(nodeOf('b'))
  assert.equal(schedule(pod('r', 'c-2')), 'b')
})
