import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Taint } from '../../api/generated/types/core-v1.ts'
import { ControllerRevision } from '../../api/kinds/apps/controller-revision.ts'
import { DaemonSet } from '../../api/kinds/apps/daemon-set.ts'
import { Node } from '../../api/kinds/core/node.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import { createWorld } from '../../control/simulate.ts'
import { daemonSetController } from './controller.ts'
import { nodeOf, wishFor } from './placement.ts'

const NOW = Date.UTC(2026, 0, 1)
const KEY = 'default/agent'

type Spec = NonNullable<DaemonSet['spec']>

const template = (image: string) => ({
  metadata: { labels: { app: 'agent' } },
  spec: { containers: [{ name: 'c', image }] },
})

function world(spec: Partial<Spec> = {}, nodes = ['a', 'b', 'c']) {
  const made = createWorld()
  for (const name of nodes) made.put<Node>(Node, { metadata: { name, labels: { name } } })
  const set = (more: Partial<Spec>) => {
    const old = made.list<DaemonSet>(DaemonSet)[0]
    made.put<DaemonSet>(DaemonSet, {
      metadata: { name: 'agent', uid: 'u', generation: 1, ...old?.metadata },
      spec: {
        selector: { matchLabels: { app: 'agent' } },
        template: template('v1'),
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
        ...spec,
        ...old?.spec,
        ...more,
      },
      ...(old?.status && { status: old.status }),
    } as DaemonSet)
  }
  set({})
  const pods = () => [...made.list<Pod>(Pod)].sort((x, y) => (nodeOf(x)! < nodeOf(y)! ? -1 : 1))
  let now = NOW
  const settle = () => made.settle(daemonSetController, KEY, now)
  const status = () => made.list<DaemonSet>(DaemonSet)[0]?.status
  const put = (pod: Pod, more: object) => made.put<Pod>(Pod, { ...pod, status: more } as Pod)
  const ready = () => {
    for (const pod of pods()) {
      const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: rfc3339(NOW - 60_000) }]
      put(pod, { phase: 'Running', conditions })
    }
    return settle()
  }
  const images = () => pods().map(pod => `${nodeOf(pod)} ${pod.spec?.containers[0]?.image}`)
  return { ...made, set, pods, settle, ready, status, images, fail: put, later: (ms: number) => void (now += ms) }
}

test('DaemonSet makes one pod a node, each bound for its node by affinity, and rests', () => {
  const { settle, images, pods, status } = world()
  settle()
  assert.deepEqual(images(), ['a v1', 'b v1', 'c v1'])
  assert.deepEqual(pods()[0]?.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution, {
    nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] }],
  })
  assert.deepEqual(status(), {
    currentNumberScheduled: 3,
    numberMisscheduled: 0,
    desiredNumberScheduled: 3,
    numberReady: 0,
    observedGeneration: 1,
    updatedNumberScheduled: 3,
    numberUnavailable: 3,
  })
})

for (const [what, taint, expected] of [
  ['one that every daemon tolerates', { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }, [true, true]],
  ['one that keeps pods away', { key: 'x', effect: 'NoSchedule' }, [false, true]],
  ['one that drives pods out', { key: 'x', effect: 'NoExecute' }, [false, false]],
  ['one that would rather not', { key: 'x', effect: 'PreferNoSchedule' }, [true, true]],
] as const) {
  test(`wishFor knows what to do on a node with a taint: ${what}`, () => {
    const { list } = world()
    const node: Node = { metadata: { name: 'a' }, spec: { taints: [taint as Taint] } }
    const { start, stay } = wishFor(list<DaemonSet>(DaemonSet)[0]!, node)
    assert.deepEqual([start, stay], expected)
  })
}

test('DaemonSet follows the labels of nodes', () => {
  const { settle, images, put, set } = world()
  set({ template: { ...template('v1'), spec: { ...template('v1').spec, nodeSelector: { color: 'blue' } } } })
  settle()
  assert.deepEqual(images(), [])
  put<Node>(Node, { metadata: { name: 'b', labels: { color: 'blue' } } })
  settle()
  assert.deepEqual(images(), ['b v1'])
  put<Node>(Node, { metadata: { name: 'b', labels: {} } })
  settle()
  assert.deepEqual(images(), [])
})

test('DaemonSet rolls a new template out within maxUnavailable', () => {
  const { settle, ready, images, set, status } = world()
  settle()
  ready()
  set({ template: template('v2') })
  settle()
  assert.deepEqual(images(), ['a v2', 'b v1', 'c v1'])
  ready()
  ready()
  assert.deepEqual(images(), ['a v2', 'b v2', 'c v2'])
  ready()
  assert.equal(status()?.updatedNumberScheduled, 3)
  assert.equal(status()?.numberAvailable, 3)
})

test('DaemonSet with a surge lets a new pod stand beside the old one until it is available', () => {
  const rollingUpdate = { maxUnavailable: 0, maxSurge: 1 }
  const { settle, ready, images, set } = world({ updateStrategy: { type: 'RollingUpdate', rollingUpdate } }, ['a', 'b'])
  settle()
  ready()
  set({ template: template('v2') })
  settle()
  assert.deepEqual(images().sort(), ['a v1', 'a v2', 'b v1'])
  ready()
  assert.deepEqual(images().sort(), ['a v2', 'b v1', 'b v2'])
  ready()
  assert.deepEqual(images(), ['a v2', 'b v2'])
})

test('DaemonSet with OnDelete leaves old pods', () => {
  const { settle, ready, images, set } = world({ updateStrategy: { type: 'OnDelete' } }, ['a'])
  settle()
  ready()
  set({ template: template('v2') })
  settle()
  assert.deepEqual(images(), ['a v1'])
})

test('DaemonSet that is rolled back keeps pods that have the old template already', () => {
  const { settle, ready, pods, images, set, list } = world()
  settle()
  ready()
  const before = new Map(pods().map(pod => [nodeOf(pod), pod.metadata?.uid]))
  set({ template: template('broken') })
  settle()
  assert.deepEqual(images(), ['a broken', 'b v1', 'c v1'])
  set({ template: template('v1') })
  settle()
  ready()
  assert.deepEqual(images(), ['a v1', 'b v1', 'c v1'])
  for (const pod of pods().slice(1)) assert.equal(pod.metadata?.uid, before.get(nodeOf(pod)))
  assert.deepEqual(
    list<ControllerRevision>(ControllerRevision)
      .map(each => each.revision)
      .sort(),
    [2, 3],
  )
})

test('DaemonSet replaces a failed pod at once, and again only after a growing back-off', () => {
  const { settle, pods, fail, notes, later } = world({}, ['a'])
  settle()
  const first = pods()[0]!
  fail(first, { phase: 'Failed' })
  settle()
  const second = pods()[0]!
  assert.notEqual(second.metadata?.uid, first.metadata?.uid)
  assert.equal(notes.filter(each => each.reason === 'FailedDaemonPod').length, 1)
  fail(second, { phase: 'Failed' })
  const plan = settle()
  assert.equal(pods()[0]?.metadata?.uid, second.metadata?.uid)
  assert.deepEqual(plan.requeue, { type: 'after', ms: 1000 })
  later(1000)
  settle()
  assert.notEqual(pods()[0]?.metadata?.uid, second.metadata?.uid)
})
