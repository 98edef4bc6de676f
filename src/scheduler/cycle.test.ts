import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Node } from '../api/kinds/core/node.ts'
import type { Pod } from '../api/kinds/core/pod.ts'
import { createCycle } from './cycle.ts'
import { plugins } from './plugins/all.ts'
import { podInfoOf } from './pod-info.ts'
import { bench, nodeOf, podOf } from './scheduler.fixture.ts'

const noContainers =
  'node(s) have no container runtime (set spec.runtimeClassName: process to run "command" as a plain process, or install containerd)'
const zone = (value: string) => ({ labels: { 'topology.kubernetes.io/zone': value } })
const near = (app: string, topologyKey = 'kubernetes.io/hostname') => [
  { labelSelector: { matchLabels: { app } }, topologyKey },
]
const required = (terms: ReturnType<typeof near>) => ({ requiredDuringSchedulingIgnoredDuringExecution: terms })

/** Which node a pod gets, or what is said of it; `placed` are scheduled before it, one after the other. */
const cases: {
  title: string
  nodes: Node[]
  placed?: Pod[]
  pod: Pod
  expected: string
  classes?: Record<string, string>
}[] = [
  { title: 'without nodes', nodes: [], pod: podOf('p'), expected: 'no nodes available to schedule pods' },
  { title: 'on the only node', nodes: [nodeOf('a')], pod: podOf('p'), expected: 'a' },
  {
    title: 'not on a cordoned node',
    nodes: [nodeOf('a', { unschedulable: true })],
    pod: podOf('p'),
    expected: '0/1 nodes are available: 1 node(s) were unschedulable.',
  },
  {
    title: 'on a cordoned node when it tolerates that',
    nodes: [nodeOf('a', { unschedulable: true })],
    pod: podOf('p', { spec: { tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }] } }),
    expected: 'a',
  },
  {
    title: 'not where a taint is, and says why for every node',
    nodes: [
      nodeOf('a', { taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }] }),
      nodeOf('b', { allocatable: { cpu: '1' } }),
      nodeOf('c', { allocatable: { cpu: '1', memory: '1Gi' } }),
    ],
    pod: podOf('p', { requests: { cpu: '2', memory: '2Gi' } }),
    expected:
      '0/3 nodes are available: 1 Insufficient memory, 1 node(s) had untolerated taint {gpu: yes}, 2 Insufficient cpu.',
  },
  {
    title: 'says that it displaces nobody, where its priority would let it',
    nodes: [nodeOf('a', { allocatable: { pods: '0' } })],
    pod: podOf('p', { spec: { priority: 1000 } }),
    expected: '0/1 nodes are available: 1 Too many pods.',
  },
  {
    title: 'where it is tolerated, value and effect alike',
    nodes: [nodeOf('a', { taints: [{ key: 'gpu', value: 'yes', effect: 'NoExecute' }] })],
    pod: podOf('p', { spec: { tolerations: [{ key: 'gpu', value: 'yes', effect: 'NoExecute' }] } }),
    expected: 'a',
  },
  {
    title: 'rather on a node without a taint that prefers others',
    nodes: [nodeOf('a', { taints: [{ key: 'slow', effect: 'PreferNoSchedule' }] }), nodeOf('b')],
    pod: podOf('p'),
    expected: 'b',
  },
  {
    title: 'by node selector',
    nodes: [nodeOf('a'), nodeOf('b', { labels: { disk: 'ssd' } })],
    pod: podOf('p', { spec: { nodeSelector: { disk: 'ssd' } } }),
    expected: 'b',
  },
  {
    title: 'not without a node that is selected',
    nodes: [nodeOf('a'), nodeOf('b', { labels: { disk: 'hdd' } })],
    pod: podOf('p', { spec: { nodeSelector: { disk: 'ssd' } } }),
    expected: "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.",
  },
  {
    title: 'by preferred node affinity',
    nodes: [nodeOf('a'), nodeOf('b', { labels: { size: '8' } })],
    pod: podOf('p', {
      spec: {
        affinity: {
          nodeAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 10, preference: { matchExpressions: [{ key: 'size', operator: 'Gt', values: ['4'] }] } },
            ],
          },
        },
      },
    }),
    expected: 'b',
  },
  {
    title: 'on the emptier node',
    nodes: [nodeOf('a'), nodeOf('b')],
    placed: [podOf('x', { requests: { cpu: '1' } })],
    pod: podOf('p', { requests: { cpu: '1' } }),
    expected: 'b',
  },
  {
    title: 'not where an extended resource is missing',
    nodes: [nodeOf('a'), nodeOf('b', { allocatable: { 'example.com/gpu': '1' } })],
    placed: [podOf('x', { requests: { 'example.com/gpu': '1' } })],
    pod: podOf('p', { requests: { 'example.com/gpu': '1' } }),
    expected: '0/2 nodes are available: 2 Insufficient example.com/gpu.',
  },
  {
    title: 'not where its host port is taken',
    nodes: [nodeOf('a')],
    placed: [podOf('x', { spec: { containers: [{ name: 'x', ports: [{ containerPort: 80, hostPort: 80 }] }] } })],
    pod: podOf('p', {
      spec: { containers: [{ name: 'p', ports: [{ containerPort: 81, hostPort: 80, hostIP: '127.0.0.1' }] }] },
    }),
    expected: "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
  },
  {
    title: 'where its host port is free for its protocol',
    nodes: [nodeOf('a')],
    placed: [podOf('x', { spec: { containers: [{ name: 'x', ports: [{ containerPort: 80, hostPort: 80 }] }] } })],
    pod: podOf('p', {
      spec: { containers: [{ name: 'p', ports: [{ containerPort: 80, hostPort: 80, protocol: 'UDP' }] }] },
    }),
    expected: 'a',
  },
  {
    title: 'not as a container on a node for processes',
    nodes: [nodeOf('a', { handlers: ['process'] })],
    pod: podOf('p'),
    expected: `0/1 nodes are available: 1 ${noContainers}.`,
  },
  {
    title: 'by the handler of its runtime class',
    nodes: [nodeOf('a', { handlers: [''] }), nodeOf('b', { handlers: ['process'] })],
    classes: { plain: 'process' },
    pod: podOf('p', { spec: { runtimeClassName: 'plain' } }),
    expected: 'b',
  },
  {
    title: 'on a node whose default handler runs containers',
    nodes: [nodeOf('b', { handlers: ['process'] }), nodeOf('a', { handlers: ['', 'process'] })],
    pod: podOf('p'),
    expected: 'a',
  },
  {
    title: 'not by a runtime class that does not exist',
    nodes: [nodeOf('a')],
    pod: podOf('p', { spec: { runtimeClassName: 'none' } }),
    expected: '0/1 nodes are available: RuntimeClass "none" not found.',
  },
  {
    title: 'away from other pods of its controller',
    nodes: [nodeOf('a', { allocatable: { cpu: '400', memory: '800Gi' } }), nodeOf('b')],
    placed: [podOf('x', { owner: 'web' })],
    pod: podOf('p', { owner: 'web' }),
    expected: 'b',
  },
  {
    title: 'within the allowed skew of zones',
    nodes: [nodeOf('a', zone('1')), nodeOf('b', { ...zone('2'), allocatable: { cpu: '0' } }), nodeOf('c')],
    placed: [podOf('x', { labels: { app: 'web' }, requests: { cpu: '3500m' } })],
    pod: podOf('p', {
      labels: { app: 'web' },
      requests: { cpu: '100m' },
      spec: {
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'topology.kubernetes.io/zone',
            whenUnsatisfiable: 'DoNotSchedule',
            labelSelector: { matchLabels: { app: 'web' } },
          },
        ],
      },
    }),
    expected:
      "0/3 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match pod topology spread constraints, 1 node(s) didn't match pod topology spread constraints (missing required label).",
  },
  {
    title: 'near the pods that it must be near',
    nodes: [nodeOf('a', zone('1')), nodeOf('b', zone('2')), nodeOf('c', zone('2'))],
    placed: [podOf('db', { labels: { app: 'db' }, spec: { nodeSelector: { 'topology.kubernetes.io/zone': '2' } } })],
    pod: podOf('p', { spec: { affinity: { podAffinity: required(near('db', 'topology.kubernetes.io/zone')) } } }),
    expected: 'c',
  },
  {
    title: 'nowhere, while the pods that it must be near are not there',
    nodes: [nodeOf('a')],
    pod: podOf('p', { spec: { affinity: { podAffinity: required(near('db')) } } }),
    expected: "0/1 nodes are available: 1 node(s) didn't match pod affinity rules.",
  },
  {
    title: 'anywhere, as the first of a group that must be together',
    nodes: [nodeOf('a')],
    pod: podOf('p', { labels: { app: 'db' }, spec: { affinity: { podAffinity: required(near('db')) } } }),
    expected: 'a',
  },
  {
    title: 'not beside the pods that it must not be near',
    nodes: [nodeOf('a')],
    placed: [podOf('db', { labels: { app: 'db' } })],
    pod: podOf('p', { spec: { affinity: { podAntiAffinity: required(near('db')) } } }),
    expected: "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules.",
  },
  {
    title: 'not beside pods that do not want it near',
    nodes: [nodeOf('a')],
    placed: [podOf('db', { spec: { affinity: { podAntiAffinity: required(near('web')) } } })],
    pod: podOf('p', { labels: { app: 'web' } }),
    expected: "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules.",
  },
]
for (const { title, nodes, placed = [], pod, expected, classes } of cases) {
  it(`decide places a pod ${title}`, () => {
    const { snapshot, schedule } = bench(classes)
    for (const node of nodes) snapshot.setNode(node)
    for (const each of placed) schedule(each)
    assert.equal(schedule(pod), expected)
  })
}

it('requestsOfPod counts sidecars with the containers and init containers by their largest moment', () => {
  const of = (cpu: string) => ({ resources: { requests: { cpu } } })
  const info = podInfoOf(
    podOf('p', {
      spec: {
        containers: [
          { name: 'a', ...of('100m') },
          { name: 'b', ...of('200m') },
        ],
        initContainers: [
          { name: 'side', restartPolicy: 'Always', ...of('50m') },
          { name: 'setup', ...of('600m') },
        ],
        overhead: { cpu: '10m' },
      },
    }),
  )
  assert.equal(info.requests.cpu, 660)
})

it('podInfoOf counts what a pod has, where that is more than it asks for', () => {
  const resizing = (asked: string, has: string, more: object) => {
    const pod = podOf('p', { spec: { containers: [{ name: 'a', resources: { requests: { cpu: asked } } }] } })
    const status = { name: 'a', resources: { requests: { cpu: has } }, allocatedResources: { cpu: has } }
    return podInfoOf({
      ...pod,
      metadata: { ...pod.metadata, generation: 2 },
      status: { observedGeneration: 2, containerStatuses: [status], ...more },
    } as unknown as typeof pod).requests.cpu
  }
  const inProgress = { conditions: [{ type: 'PodResizeInProgress', status: 'True' }] }
  assert.equal(resizing('100m', '300m', inProgress), 300)
  assert.equal(resizing('500m', '300m', { conditions: [{ type: 'PodResizePending', status: 'True' }] }), 500)
  assert.equal(resizing('100m', '300m', { observedGeneration: 1 }), 300)
  assert.equal(resizing('100m', '300m', {}), 100)
})

it('decide with its remembered results agrees with a cycle that remembers nothing, through any changes', () => {
  let state = 11
  const next = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return (state >>> 8) % below
  }
  const { view, cycle, snapshot } = bench({ process: 'process' })
  const templates = Array.from(
    { length: 12 },
    (_, kind) => (name: string) =>
      podOf(name, {
        labels: { app: `app${kind % 3}` },
        owner: kind % 2 ? `owner${kind % 4}` : '',
        requests: { cpu: `${100 * (kind % 5)}m` },
        spec: {
          ...(kind === 3 && { affinity: { podAntiAffinity: required(near('app0')) } }),
          ...(kind === 4 && { affinity: { podAffinity: required(near('app1', 'topology.kubernetes.io/zone')) } }),
          ...(kind === 5 && { affinity: { podAntiAffinity: required(near('app2', 'topology.kubernetes.io/zone')) } }),
          ...(kind === 6 && { nodeSelector: { 'topology.kubernetes.io/zone': '1' } }),
          ...((kind === 7 || kind === 8) && {
            topologySpreadConstraints: [
              {
                maxSkew: 1,
                topologyKey: kind === 7 ? 'topology.kubernetes.io/zone' : 'kubernetes.io/hostname',
                whenUnsatisfiable: 'DoNotSchedule' as const,
                labelSelector: { matchLabels: { app: 'app1' } },
              },
            ],
          }),
        },
      }),
  )
  const placed: string[] = []
  for (let turn = 0; turn < 3000; turn++) {
    const name = `n${next(30)}`
    switch (next(12)) {
      case 0:
        if (next(3) === 0) snapshot.removeNode(name)
        break
      case 1:
        snapshot.setNode(
          nodeOf(name, { ...zone(String(next(3))), unschedulable: next(4) === 0, handlers: ['', 'process'] }),
        )
        break
      case 2:
      case 3:
        if (placed.length > 0) snapshot.removePod(placed.splice(next(placed.length), 1)[0]!)
        break
      default: {
        const info = podInfoOf(templates[next(12)]!(`p${turn}`))
        const decision = cycle.decide(info)
        const fresh = createCycle(view, plugins)
        assert.deepEqual(decision, fresh.decide(info), `turn ${turn}: ${info.template}`)
        if ('refusal' in decision) break
        snapshot.addPod(info, decision.nodeName)
        placed.push(info.uid)
      }
    }
  }
  assert.ok(placed.length > 20)
})

it('explain says of every node why it will not do or how well it suits', () => {
  const { snapshot, cycle } = bench()
  snapshot.setNode(nodeOf('a', { unschedulable: true }))
  snapshot.setNode(nodeOf('b'))
  const [a, b] = cycle.explain(podInfoOf(podOf('p')))
  assert.deepEqual(a, {
    nodeName: 'a',
    refused: { plugin: 'NodeUnschedulable', reasons: ['node(s) were unschedulable'] },
  })
  assert.equal(b?.nodeName, 'b')
  assert.ok(b?.scores?.NodeResourcesFit)
})
