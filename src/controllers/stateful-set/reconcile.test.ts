import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ControllerRevision } from '../../api/kinds/apps/controller-revision.ts'
import { StatefulSet } from '../../api/kinds/apps/stateful-set.ts'
import { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import { createWorld } from '../../control/simulate.ts'
import { statefulSetController } from './controller.ts'

const NOW = Date.UTC(2026, 0, 1)
const KEY = 'default/web'

type Spec = NonNullable<StatefulSet['spec']>

/** A world with one set; pods become ready when they are told to. */
function world(spec: Partial<Spec> = {}) {
  const made = createWorld()
  const set = (more: Partial<Spec>) => {
    const old = made.list<StatefulSet>(StatefulSet)[0]
    made.put<StatefulSet>(StatefulSet, {
      metadata: { name: 'web', uid: 'u', generation: 1, ...old?.metadata },
      spec: { ...base, ...spec, ...old?.spec, ...more },
      ...(old?.status && { status: old.status }),
    })
  }
  const base: Spec = {
    replicas: 3,
    serviceName: 'web',
    selector: { matchLabels: { app: 'web' } },
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
    template: template('v1'),
  }
  set({})
  const pods = () => [...made.list<Pod>(Pod)].sort((a, b) => (a.metadata!.name! < b.metadata!.name! ? -1 : 1))
  const names = () => pods().map(pod => pod.metadata?.name)
  const settle = () => made.settle(statefulSetController, KEY, NOW)
  const status = () => made.list<StatefulSet>(StatefulSet)[0]?.status
  const ready = (...which: string[]) => {
    for (const pod of pods()) {
      if (which.length > 0 && !which.includes(pod.metadata?.name ?? '')) continue
      const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: rfc3339(NOW - 60_000) }]
      made.put<Pod>(Pod, { ...pod, status: { phase: 'Running', conditions } } as Pod)
    }
    settle()
  }
  const images = () => pods().map(pod => `${pod.metadata?.name} ${pod.spec?.containers[0]?.image}`)
  return { ...made, set, pods, names, settle, ready, status, images }
}

const template = (image: string) => ({
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'c', image }] },
})

test('StatefulSet makes its members one after the other, each when the one before is ready', () => {
  const { settle, names, ready, status } = world()
  settle()
  assert.deepEqual(names(), ['web-0'])
  ready()
  assert.deepEqual(names(), ['web-0', 'web-1'])
  ready('web-1')
  ready()
  assert.deepEqual(names(), ['web-0', 'web-1', 'web-2'])
  const { currentRevision, updateRevision, ...counts } = status() ?? {}
  assert.equal(currentRevision, updateRevision)
  assert.deepEqual(counts, {
    observedGeneration: 1,
    replicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
    currentReplicas: 3,
    updatedReplicas: 3,
    collisionCount: 0,
  })
})

test('StatefulSet gives a member its name, host name, domain, index and revision', () => {
  const { settle, pods, list } = world({ ordinals: { start: 5 } })
  settle()
  const [pod] = pods()
  const [revision] = list<ControllerRevision>(ControllerRevision)
  assert.deepEqual(pod?.metadata?.labels, {
    app: 'web',
    'statefulset.kubernetes.io/pod-name': 'web-5',
    'apps.kubernetes.io/pod-index': '5',
    'controller-revision-hash': revision?.metadata?.name,
  })
  assert.equal(pod?.spec?.hostname, 'web-5')
  assert.equal(pod?.spec?.subdomain, 'web')
})

test('StatefulSet in parallel makes and removes all at once', () => {
  const { settle, names, set } = world({ podManagementPolicy: 'Parallel' })
  settle()
  assert.deepEqual(names(), ['web-0', 'web-1', 'web-2'])
  set({ replicas: 0 })
  settle()
  assert.deepEqual(names(), [])
})

test('StatefulSet scales down from the highest ordinal, and waits for members that are not ready', () => {
  const { ready, names, set, settle, pods, put, notes } = world()
  settle()
  ready()
  ready()
  ready()
  put<Pod>(Pod, { ...pods()[0], status: { phase: 'Pending' } } as Pod)
  set({ replicas: 1 })
  settle()
  assert.deepEqual(names(), ['web-0', 'web-1', 'web-2'], 'web-0 is not well, so nothing moves')
  ready()
  assert.deepEqual(names(), ['web-0'])
  assert.ok(notes.some(each => each.message === 'Delete Pod web-2 in StatefulSet web successful'))
})

test('StatefulSet rolls a new template out from the highest ordinal, one at a time, down to the partition', () => {
  const { settle, ready, images, set, status } = world()
  settle()
  ready()
  ready()
  ready()
  set({
    template: template('v2'),
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } },
  })
  settle()
  assert.deepEqual(images(), ['web-0 v1', 'web-1 v1', 'web-2 v2'])
  ready()
  assert.deepEqual(images(), ['web-0 v1', 'web-1 v2', 'web-2 v2'])
  ready()
  assert.deepEqual([status()?.currentReplicas, status()?.updatedReplicas], [1, 2])
  assert.notEqual(status()?.currentRevision, status()?.updateRevision)
  set({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } } })
  settle()
  ready()
  assert.deepEqual(images(), ['web-0 v2', 'web-1 v2', 'web-2 v2'])
  assert.equal(status()?.currentRevision, status()?.updateRevision)
})

test('StatefulSet replaces as many members at once as maxUnavailable allows', () => {
  const { settle, images, set, ready } = world({ podManagementPolicy: 'Parallel' })
  settle()
  ready()
  const rollingUpdate = { partition: 0, maxUnavailable: 2 }
  set({ template: template('v2'), updateStrategy: { type: 'RollingUpdate', rollingUpdate } })
  settle()
  assert.deepEqual(images(), ['web-0 v1', 'web-1 v2', 'web-2 v2'])
})

test('StatefulSet with OnDelete leaves old members until they are deleted', () => {
  const { settle, ready, images, set, remove } = world({ updateStrategy: { type: 'OnDelete' }, replicas: 2 })
  settle()
  ready()
  ready()
  set({ template: template('v2') })
  settle()
  assert.deepEqual(images(), ['web-0 v1', 'web-1 v1'])
  remove(Pod, 'default/web-0')
  settle()
  assert.deepEqual(images(), ['web-0 v2', 'web-1 v1'])
})

test('StatefulSet that goes back to an old template uses its revision again, as the newest', () => {
  const { settle, set, list } = world({ revisionHistoryLimit: 1 })
  settle()
  const [first] = list<ControllerRevision>(ControllerRevision)
  set({ template: template('v2') })
  settle()
  set({ template: template('v1') })
  settle()
  const all = list<ControllerRevision>(ControllerRevision)
  assert.deepEqual(all.map(each => [each.metadata?.name === first?.metadata?.name, each.revision]).sort(), [
    [false, 2],
    [true, 3],
  ])
  set({ template: template('v3') })
  settle()
  set({ template: template('v4') })
  settle()
  assert.ok(list<ControllerRevision>(ControllerRevision).length <= 3)
})

test('StatefulSet replaces a member that failed or ended', () => {
  for (const phase of ['Failed', 'Succeeded'] as const) {
    const { settle, pods, put } = world({ replicas: 1 })
    settle()
    const [old] = pods()
    put<Pod>(Pod, { ...old, status: { phase } } as Pod)
    settle()
    assert.notEqual(pods()[0]?.metadata?.uid, old?.metadata?.uid)
    assert.equal(pods()[0]?.status?.phase, undefined)
  }
})

test('StatefulSet makes claims before members, and keeps them by its policy', () => {
  const volumeClaimTemplates = [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'] } }]
  const { settle, pods, list, set, ready } = world({
    replicas: 2,
    podManagementPolicy: 'Parallel',
    volumeClaimTemplates: volumeClaimTemplates as NonNullable<Spec['volumeClaimTemplates']>,
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Delete' },
  })
  settle()
  const claims = () =>
    list<PersistentVolumeClaim>(PersistentVolumeClaim).map(each => [
      each.metadata?.name,
      each.metadata?.ownerReferences?.map(owner => owner.kind).join(),
    ])
  assert.deepEqual(pods()[0]?.spec?.volumes, [{ name: 'data', persistentVolumeClaim: { claimName: 'data-web-0' } }])
  ready()
  assert.deepEqual(claims().sort(), [
    ['data-web-0', 'StatefulSet'],
    ['data-web-1', 'StatefulSet'],
  ])
  set({ replicas: 1 })
  settle()
  assert.deepEqual(claims().sort(), [
    ['data-web-0', 'StatefulSet'],
    ['data-web-1', 'Pod'],
  ])
})
