import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Event } from '../../api/kinds/core/event.ts'
import type { Pod } from '../../api/kinds/core/pod.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { diagnose } from './diagnose.ts'
import type { Facts } from './facts.ts'

const metadata = { name: 'web-1', namespace: 'default', uid: 'u1' }
const pod = (part: { spec?: object; status?: object; metadata?: object }): Pod =>
  ({
    kind: 'Pod',
    metadata: { ...metadata, ...part.metadata },
    spec: { nodeName: 'n1', containers: [{ name: 'web' }], ...part.spec },
    status: part.status,
  }) as Pod
const container = (part: object) =>
  pod({ status: { phase: 'Running', containerStatuses: [{ name: 'web', ready: false, restartCount: 4, ...part }] } })
const facts = (object: KubeObject, pods: readonly Pod[], events: object[] = []): Facts => ({
  target: `${object.kind?.toLowerCase()}/${object.metadata?.name}`,
  namespace: 'default',
  object,
  pods,
  eventsOf: () => events as Event[],
})
const ofPod = (one: Pod, events: object[] = []) => diagnose(facts(one, [one], events))
const READY = { conditions: [{ type: 'Ready', status: 'True' }] }

const cases: { title: string; pod: Pod; events?: object[]; cause: RegExp; next?: RegExp }[] = [
  {
    title: 'no node takes it',
    pod: pod({
      spec: { nodeName: undefined },
      status: {
        conditions: [
          { type: 'PodScheduled', status: 'False', message: '0/1 nodes are available: 1 Insufficient cpu.' },
        ],
      },
    }),
    cause: /no node takes it: 0\/1 nodes are available: 1 Insufficient cpu/,
  },
  {
    title: 'it crashes again and again',
    pod: container({
      state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } },
      lastState: { terminated: { exitCode: 3, reason: 'Error' } },
    }),
    cause: /4 restarts\), last with exit code 3 \(Error\)/,
    next: /tutti logs web-1 -n default -c web --previous/,
  },
  {
    title: 'it cannot be started',
    pod: container({
      state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } },
      lastState: { terminated: { exitCode: 128, reason: 'StartError', message: 'cannot run as user 33: no ids' } },
    }),
    cause: /it cannot be started: cannot run as user 33: no ids\. back-off 10s/,
  },
  {
    title: 'its config map is missing',
    pod: container({
      state: { waiting: { reason: 'CreateContainerConfigError', message: 'configmap "settings" not found' } },
    }),
    cause: /configmap "settings" not found/,
    next: /get configmaps,secrets/,
  },
  {
    title: 'its probe fails',
    pod: container({ state: { running: {} } }),
    events: [
      {
        reason: 'Unhealthy',
        type: 'Warning',
        message: 'Readiness probe failed: HTTP probe failed with statuscode: 503',
      },
    ],
    cause: /its probe fails: Readiness probe failed: HTTP probe failed with statuscode: 503/,
    next: /tutti logs web-1/,
  },
  {
    title: 'it ended',
    pod: container({ state: { terminated: { exitCode: 2, reason: 'Error' } } }),
    cause: /exit code 2/,
  },
  {
    title: 'finalizers hold it',
    pod: pod({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['a/b'] } }),
    cause: /finalizers hold it: a\/b/,
  },
]
for (const { title, pod: one, events, cause, next } of cases) {
  test(`diagnose says of a pod: ${title}`, () => {
    const [finding, ...more] = ofPod(one, events)
    assert.match(finding?.cause ?? '', cause)
    assert.equal(more.length, 0)
    if (next) assert.match(finding?.next.join('\n') ?? '', next)
  })
}

test('diagnose finds nothing wrong with a ready or completed pod', () => {
  assert.deepEqual(ofPod(pod({ status: READY })), [])
  assert.deepEqual(ofPod(pod({ status: { phase: 'Succeeded' } })), [])
})

test('diagnose says which labels no pod of a service has', () => {
  const service = { kind: 'Service', metadata: { name: 'web' }, spec: { selector: { app: 'web' }, ports: [] } }
  assert.match(diagnose(facts(service, []))[0]?.cause ?? '', /no pod has the labels app=web/)
})

test('diagnose says that a port name of a service is nowhere declared', () => {
  const service = {
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] },
  }
  assert.match(
    diagnose(facts(service, [pod({ status: READY })]))[0]?.cause ?? '',
    /port named "http", which no pod declares/,
  )
})

test('diagnose counts a service ready when one of its pods is', () => {
  const service = {
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
  }
  assert.deepEqual(diagnose(facts(service, [pod({ status: READY }), container({ state: { running: {} } })])), [])
})

test('diagnose tells a stuck rollout from the pods behind it, and from a first version that was never ready', () => {
  const stuck = (replicas: number) => ({
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: { replicas: 1 },
    status: {
      replicas,
      updatedReplicas: 1,
      conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'too late' }],
    },
  })
  const pods = [container({ state: { waiting: { reason: 'CrashLoopBackOff' } } })]
  const [first, ...more] = diagnose(facts(stuck(2), pods))
  assert.equal(more.length, 1)
  assert.match(first?.cause ?? '', /the old one goes on serving/)
  assert.match(first?.next[0] ?? '', /rollout undo deployment\/web/)
  const [never] = diagnose(facts(stuck(1), pods))
  assert.equal(never?.cause, 'it does not become ready: too late')
  assert.doesNotMatch(never?.next[0] ?? '', /undo/)
})
