import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pod } from '../../api/kinds/core/pod.ts'
import { ReplicationController } from '../../api/kinds/core/replication-controller.ts'
import { createWorld } from '../../control/simulate.ts'
import { replicationController } from './controller.ts'

const NOW = Date.UTC(2026, 0, 1)
const KEY = 'default/web'

test('ReplicationController makes pods, adopts those that match, lets go of those that do not, and rests', () => {
  const world = createWorld()
  world.put<Pod>(Pod, { metadata: { name: 'stray', labels: { app: 'web' } }, spec: { containers: [] } })
  world.put<ReplicationController>(ReplicationController, {
    metadata: { name: 'web', uid: 'u', generation: 1 },
    spec: {
      replicas: 2,
      selector: { app: 'web' },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'v1' }] } },
    },
  })
  world.settle(replicationController, KEY, NOW)
  const owned = () => world.list<Pod>(Pod).filter(pod => pod.metadata?.ownerReferences?.[0]?.uid === 'u')
  assert.equal(owned().length, 2)
  const stray = owned().find(pod => pod.metadata?.name === 'stray')
  world.put<Pod>(Pod, { ...stray, metadata: { ...stray?.metadata, labels: { app: 'debug' } } })
  world.settle(replicationController, KEY, NOW)
  assert.equal(owned().length, 2)
  assert.ok(!owned().some(pod => pod.metadata?.name === 'stray'))
  assert.deepEqual(world.list<ReplicationController>(ReplicationController)[0]?.status, {
    replicas: 2,
    fullyLabeledReplicas: 2,
    observedGeneration: 1,
  })
})
