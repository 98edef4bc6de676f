import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReplicaSet } from '../../api/kinds/apps/replica-set.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { createWorld } from '../../control/simulate.ts'
import { replicaSetController } from './controller.ts'

const NOW = Date.UTC(2026, 0, 1)
const KEY = 'default/web'

function world(replicas: number) {
  const made = createWorld()
  made.put<ReplicaSet>(ReplicaSet, {
    metadata: { name: 'web', uid: 'u', generation: 1 },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'v1' }] } },
    },
  })
  const pods = () => made.list<Pod>(Pod)
  return { ...made, pods, settle: () => made.settle(replicaSetController, KEY, NOW) }
}

test('ReplicaSet makes the pods that are missing, tells each, and rests', () => {
  const { settle, pods, list, notes } = world(3)
  settle()
  assert.equal(pods().length, 3)
  assert.equal(list<ReplicaSet>(ReplicaSet)[0]?.status?.replicas, 3)
  assert.deepEqual(
    notes.map(each => each.message),
    pods().map(pod => `Created pod: ${pod.metadata?.name}`),
  )
  assert.deepEqual(pods()[0]?.metadata?.ownerReferences, [
    { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'u', controller: true, blockOwnerDeletion: true },
  ])
})

test('ReplicaSet counts neither finished pods nor those on their way out', () => {
  const { settle, pods, put } = world(2)
  settle()
  const [a, b] = pods()
  put<Pod>(Pod, { ...a, status: { ...a?.status, phase: 'Failed' } })
  put<Pod>(Pod, { ...b, metadata: { ...b?.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } })
  settle()
  assert.equal(pods().length, 4)
})

test('ReplicaSet adopts a pod that matches and nobody controls, before it makes any', () => {
  const { settle, pods, put } = world(1)
  put<Pod>(Pod, { metadata: { name: 'stray', labels: { app: 'web' } }, spec: { containers: [] } })
  settle()
  assert.deepEqual(
    pods().map(pod => [pod.metadata?.name, pod.metadata?.ownerReferences?.[0]?.uid]),
    [['stray', 'u']],
  )
})

test('ReplicaSet lets go of a pod that no longer matches and replaces it', () => {
  const { settle, pods, put } = world(1)
  settle()
  const [pod] = pods()
  put<Pod>(Pod, { ...pod, metadata: { ...pod?.metadata, labels: { app: 'debug' } } })
  settle()
  assert.deepEqual(
    pods()
      .map(each => each.metadata?.ownerReferences?.[0]?.uid)
      .sort(),
    ['u', undefined],
  )
})

test('ReplicaSet says why pods cannot be made, and takes it back when they can', () => {
  const { pass, put, settle, list } = world(1)
  const plan = pass(replicaSetController, KEY, NOW)
  const failed = plan.otherwise?.(new Error('pods "web-" is forbidden: exceeded quota')).status as ReplicaSet
  const condition = failed.status?.conditions?.[0]
  assert.deepEqual(
    [condition?.type, condition?.reason, condition?.message],
    ['ReplicaFailure', 'FailedCreate', 'pods "web-" is forbidden: exceeded quota'],
  )
  put<ReplicaSet>(ReplicaSet, failed)
  settle()
  assert.equal(list<ReplicaSet>(ReplicaSet)[0]?.status?.conditions, undefined)
})
