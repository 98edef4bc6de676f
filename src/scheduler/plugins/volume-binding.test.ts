import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PersistentVolume } from '../../api/kinds/core/persistent-volume.ts'
import type { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts'
import { bench, nodeOf, podOf } from '../scheduler.fixture.ts'
import type { Storage } from '../storage.ts'

const only = (node: string) => ({
  nodeAffinity: {
    required: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }] },
  },
})
const bound = { spec: { volumeName: 'v' }, status: { phase: 'Bound' } } as PersistentVolumeClaim

/** Two nodes, and a storage that tests change. */
function world() {
  let version = 0
  let claim: PersistentVolumeClaim | undefined
  let volume: PersistentVolume | undefined
  let mode = 'Immediate'
  const storage: Storage = {
    claim: key => (key === 'default/data' ? claim : undefined),
    volume: name => (name === 'v' ? volume : undefined),
    bindingMode: () => mode,
    version: () => version,
  }
  const made = bench({}, storage)
  made.snapshot.setNode(nodeOf('a'))
  made.snapshot.setNode(nodeOf('b'))
  return {
    set(next: { claim?: PersistentVolumeClaim; volume?: PersistentVolume; mode?: string }) {
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
  ['whose claim is missing', {}, '0/2 nodes are available: 2 persistentvolumeclaim "data" not found.'],
  [
    'whose claim is not bound',
    { claim: { spec: {} } as PersistentVolumeClaim },
    '0/2 nodes are available: 2 pod has unbound immediate PersistentVolumeClaims.',
  ],
  ['whose claim waits for it', { claim: { spec: {} } as PersistentVolumeClaim, mode: 'WaitForFirstConsumer' }, 'a'],
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
