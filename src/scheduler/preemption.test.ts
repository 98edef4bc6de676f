import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '../api/kinds/core/pod.ts'
import type { PodDisruptionBudget } from '../api/kinds/policy/pod-disruption-budget.ts'
import { podInfoOf } from './pod-info.ts'
import { findRoom, type Outcome } from './preemption.ts'
import { bench, nodeOf, type PodOptions, podOf } from './scheduler.fixture.ts'

const of = (name: string, priority: number, cpu: string, more: PodOptions = {}): Pod =>
  podOf(name, { requests: { cpu }, ...more, spec: { priority, ...more.spec } })

/** Nodes `a` (and `b`) of 4 cpus with these pods on them. */
function world(pods: Readonly<Record<string, readonly Pod[]>>, budgets: readonly PodDisruptionBudget[] = []) {
  const { snapshot, cycle } = bench()
  for (const [node, list] of Object.entries(pods)) {
    snapshot.setNode(nodeOf(node))
    for (const pod of list) snapshot.addPod(podInfoOf({ ...pod, spec: { ...pod.spec!, nodeName: node } }), node)
  }
  const ask = (pod: Pod): Outcome => findRoom(podInfoOf(pod), snapshot, cycle.ask(podInfoOf(pod)), budgets)
  return { snapshot, room: (pod: Pod) => shown(ask(pod)) }
}

const shown = (found: Outcome) =>
  'message' in found ? found.message : `${found.nodeName}: ${found.victims.map(each => each.pod.metadata?.name)}`

const budget = (app: string, disruptionsAllowed: number): PodDisruptionBudget =>
  ({
    metadata: { name: app, namespace: 'default' },
    spec: { selector: { matchLabels: { app } } },
    status: { disruptionsAllowed },
  }) as PodDisruptionBudget

for (const [what, pods, wanted, expected] of [
  ['takes the place of a pod of lower priority', { a: [of('low', 1, '3')] }, of('high', 9, '3'), 'a: low'],
  [
    'spares the most important pods that leave room',
    { a: [of('one', 1, '1'), of('two', 2, '1'), of('three', 3, '2')] },
    of('high', 9, '1'),
    'a: one',
  ],
  [
    'goes where the highest victim is lowest',
    { a: [of('five', 5, '4')], b: [of('three', 3, '2'), of('two', 2, '2')] },
    of('high', 9, '4'),
    'b: three,two',
  ],
  [
    'goes where fewer have to go',
    { a: [of('x', 1, '2'), of('y', 1, '2')], b: [of('z', 1, '4')] },
    of('high', 9, '4'),
    'b: z',
  ],
  [
    'finds none among its equals',
    { a: [of('equal', 9, '3')] },
    of('high', 9, '3'),
    '0/1 nodes are available: 1 No preemption victims found for incoming pod.',
  ],
  [
    'is not helped where it would never fit',
    { a: [of('low', 1, '3')] },
    of('huge', 9, '5'),
    '0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
  ],
  [
    'is not helped by a node that it does not select',
    { a: [of('low', 1, '3')] },
    of('picky', 9, '1', { spec: { nodeSelector: { disk: 'ssd' } } }),
    '0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
  ],
  [
    'may not where its policy says never',
    { a: [of('low', 1, '3')] },
    of('polite', 9, '3', { spec: { preemptionPolicy: 'Never' } }),
    'not eligible due to preemptionPolicy=Never.',
  ],
  [
    'is told what stands in its way besides lower pods',
    { a: [of('low', 1, '1'), of('equal', 9, '3')] },
    of('high', 9, '2'),
    '0/1 nodes are available: 1 Insufficient cpu.',
  ],
] as const) {
  test(`findRoom: a pod ${what}`, () => {
    const { room, snapshot } = world(pods as Readonly<Record<string, readonly Pod[]>>)
    const before = [...snapshot.cpu.requested]
    assert.equal(room(wanted), expected)
    assert.deepEqual([...snapshot.cpu.requested], before, 'the snapshot is as it was')
  })
}

test('findRoom takes pods that no budget holds before others', () => {
  const held = { labels: { app: 'held' } }
  const pods = { a: [of('held', 1, '2', held), of('free', 2, '2')] }
  assert.equal(world(pods, [budget('held', 0)]).room(of('high', 9, '2')), 'a: free')
  assert.equal(world(pods, [budget('held', 1)]).room(of('high', 9, '2')), 'a: held')
})

test('findRoom counts no eviction again that a budget has counted, whatever pods are called', () => {
  const held = { labels: { app: 'held' } }
  const pods = { a: [of('constructor', 1, '2', held), of('free', 2, '2')] }
  const room = (evicted: string) => {
    const status = { disruptionsAllowed: 0, disruptedPods: { [evicted]: '2026-01-01T00:00:00Z' } }
    return world(pods, [{ ...budget('held', 0), status } as PodDisruptionBudget]).room(of('high', 9, '2'))
  }
  assert.deepEqual(['other', 'constructor'].map(room), ['a: free', 'a: constructor'])
})

test('findRoom breaks a budget where nothing else helps', () => {
  const pods = { a: [of('held', 1, '4', { labels: { app: 'held' } })] }
  assert.equal(world(pods, [budget('held', 0)]).room(of('high', 9, '2')), 'a: held')
})

test('findRoom sees that anti-affinity goes with the pod that holds it', () => {
  const term = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'web' } } }
  const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } }
  const { room } = world({ a: [of('other', 0, '1'), of('lonely', 1, '1', { spec: { affinity } })] })
  assert.equal(room(of('web', 9, '1', { labels: { app: 'web' } })), 'a: lonely')
})
