import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../machinery/object.ts'
import { findKindOf } from './all.ts'
import { age, firstOf, formatLabels, formatSelector } from './columns.ts'

const now = Date.parse('2026-01-01T01:00:00Z')
const ago = (seconds: number) => new Date(now - seconds * 1000).toISOString().replace('.000', '')

/** A row as a table shows it: the columns of both widths by name. */
function row(apiVersion: string, kind: string, object: object): Record<string, unknown> {
  const metadata = { name: 'a', creationTimestamp: ago(300) }
  const full = { apiVersion, kind, metadata, ...object } as KubeObject
  const columns = findKindOf(apiVersion, kind)!.columns
  return Object.fromEntries(columns.map(column => [column.name, column.cell(full, now)]))
}

const two = [{ name: 'c' }, { name: 'd' }]
const running = { state: { running: { startedAt: ago(100) } }, ready: true, started: true, restartCount: 0 }
const ended = (exitCode: number, reason?: string) => ({
  state: { terminated: { exitCode, ...(reason && { reason }) } },
  ready: false,
  restartCount: 0,
})
const waiting = (reason: string) => ({ state: { waiting: { reason } }, ready: false, restartCount: 0 })
const pod = (status: object, spec: object = { containers: two }, meta: object = {}) => ({
  spec,
  status,
  metadata: { name: 'a', creationTimestamp: ago(300), ...meta },
})

const ready = { type: 'Ready', status: 'True' }
const pods: readonly [what: string, object: object, ready: string, status: string, restarts: string][] = [
  ['that waits', pod({ phase: 'Pending' }), '0/2', 'Pending', '0'],
  [
    'that runs',
    pod({ phase: 'Running', conditions: [ready], containerStatuses: [running, running] }),
    '2/2',
    'Running',
    '0',
  ],
  [
    'that restarted',
    pod({
      phase: 'Running',
      containerStatuses: [
        { ...running, restartCount: 2, lastState: { terminated: { exitCode: 1, finishedAt: ago(5) } } },
        { ...running, restartCount: 1, lastState: { terminated: { exitCode: 1, finishedAt: ago(50) } } },
      ],
    }),
    '2/2',
    'Running',
    '3 (5s ago)',
  ],
  [
    'that crashes',
    pod({ phase: 'Running', containerStatuses: [{ ...waiting('CrashLoopBackOff'), restartCount: 4 }, running] }),
    '1/2',
    'CrashLoopBackOff',
    '4',
  ],
  [
    'in its first init container',
    pod(
      {
        phase: 'Pending',
        initContainerStatuses: [
          { name: 'i', ...running, ready: false },
          { name: 'j', ...waiting('PodInitializing') },
        ],
      },
      { containers: two, initContainers: [{ name: 'i' }, { name: 'j' }] },
    ),
    '0/2',
    'Init:0/2',
    '0',
  ],
  [
    'whose init container failed',
    pod(
      { phase: 'Pending', initContainerStatuses: [{ name: 'i', ...ended(1, 'Error') }] },
      { containers: two, initContainers: [{ name: 'i' }] },
    ),
    '0/2',
    'Init:Error',
    '0',
  ],
  [
    'with a sidecar',
    pod(
      { phase: 'Running', initContainerStatuses: [{ name: 'i', ...running }], containerStatuses: [running, running] },
      { containers: two, initContainers: [{ name: 'i', restartPolicy: 'Always' }] },
    ),
    '3/3',
    'Running',
    '0',
  ],
  [
    'that completed',
    pod({ phase: 'Succeeded', containerStatuses: [ended(0, 'Completed'), ended(0, 'Completed')] }),
    '0/2',
    'Completed',
    '0',
  ],
  [
    'half completed, half failed',
    pod({ phase: 'Failed', containerStatuses: [ended(0, 'Completed'), ended(2)] }),
    '0/2',
    'ExitCode:2',
    '0',
  ],
  [
    'half completed, half running',
    pod({ phase: 'Running', containerStatuses: [ended(0, 'Completed'), running] }),
    '1/2',
    'NotReady',
    '0',
  ],
  ['that was evicted', pod({ phase: 'Failed', reason: 'Evicted' }), '0/2', 'Evicted', '0'],
  [
    'that is deleted',
    pod(
      { phase: 'Running', containerStatuses: [running, running] },
      { containers: two },
      { deletionTimestamp: ago(1) },
    ),
    '2/2',
    'Terminating',
    '0',
  ],
  [
    'that is gated',
    pod({ phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] }),
    '0/2',
    'SchedulingGated',
    '0',
  ],
]

for (const [what, object, shownReady, status, restarts] of pods) {
  test(`podColumns show a pod ${what}`, () => {
    const shown = row('v1', 'Pod', object)
    assert.deepEqual([shown.Ready, shown.Status, shown.Restarts], [shownReady, status, restarts])
    assert.equal(shown.Age, '5m')
  })
}

const rows: readonly [apiVersion: string, kind: string, object: object, cells: Record<string, unknown>][] = [
  [
    'v1',
    'Service',
    {
      spec: {
        type: 'NodePort',
        clusterIPs: ['10.0.0.1'],
        ports: [
          { port: 80, nodePort: 30080, protocol: 'TCP' },
          { port: 53, protocol: 'UDP' },
        ],
      },
    },
    { 'Cluster-IP': '10.0.0.1', 'External-IP': '<none>', 'Port(s)': '80:30080/TCP,53/UDP', Selector: '<none>' },
  ],
  ['v1', 'Service', { spec: { type: 'LoadBalancer' } }, { 'External-IP': '<pending>', 'Port(s)': '<none>' }],
  [
    'v1',
    'Service',
    { spec: { type: 'LoadBalancer' }, status: { loadBalancer: { ingress: [{ ip: '127.0.0.1' }] } } },
    { 'External-IP': '127.0.0.1' },
  ],
  [
    'v1',
    'Node',
    {
      metadata: { labels: { 'node-role.kubernetes.io/control-plane': '' } },
      spec: { unschedulable: true },
      status: {
        conditions: [ready],
        addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
        nodeInfo: { kubeletVersion: 'v1.36.0', kernelVersion: '6.1', architecture: 'amd64' },
      },
    },
    {
      Status: 'Ready,SchedulingDisabled',
      Roles: 'control-plane',
      Version: 'v1.36.0',
      'Internal-IP': '10.0.0.1',
      'External-IP': '<none>',
      'Kernel-Version': '6.1 (amd64)',
      'OS-Image': '<unknown>',
    },
  ],
  [
    'apps/v1',
    'Deployment',
    {
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: 'a' } },
        template: {
          spec: {
            containers: [
              { name: 'c', image: 'i' },
              { name: 'd', image: 'j' },
            ],
          },
        },
      },
      status: { readyReplicas: 2, updatedReplicas: 1, availableReplicas: 2 },
    },
    { Ready: '2/3', 'Up-to-date': 1, Available: 2, Containers: 'c,d', Images: 'i,j', Selector: 'app=a' },
  ],
  [
    'batch/v1',
    'Job',
    { spec: { completions: 3, parallelism: 1 }, status: { succeeded: 1, startTime: ago(100) } },
    { Status: 'Running', Completions: '1/3', Duration: '100s' },
  ],
  [
    'batch/v1',
    'Job',
    {
      spec: { parallelism: 2 },
      status: {
        startTime: ago(100),
        completionTime: ago(70),
        succeeded: 1,
        conditions: [{ type: 'Complete', status: 'True' }],
      },
    },
    { Status: 'Complete', Completions: '1/1 of 2', Duration: '30s' },
  ],
  [
    'v1',
    'Event',
    {
      involvedObject: { kind: 'Pod', name: 'p', fieldPath: 'spec.containers{c}' },
      type: 'Warning',
      reason: 'BackOff',
      message: ' words ',
      count: 3,
      firstTimestamp: ago(200),
      lastTimestamp: ago(10),
      source: { component: 'kubelet', host: 'n' },
    },
    {
      'Last Seen': '10s',
      Object: 'pod/p',
      Subobject: 'spec.containers{c}',
      Source: 'kubelet, n',
      Message: 'words',
      'First Seen': '3m20s',
      Count: 3,
    },
  ],
  [
    'events.k8s.io/v1',
    'Event',
    {
      regarding: { kind: 'Pod', name: 'p' },
      eventTime: ago(30),
      note: 'n',
      reportingController: 'x',
      series: { count: 5, lastObservedTime: ago(20) },
    },
    { 'Last Seen': '20s', Object: 'pod/p', Message: 'n', Count: 5, Source: 'x', 'First Seen': '30s' },
  ],
  [
    'v1',
    'Endpoints',
    {
      subsets: [
        {
          addresses: [{ ip: '1.1.1.1' }, { ip: '1.1.1.2' }, { ip: '1.1.1.3' }, { ip: '1.1.1.4' }],
          ports: [{ port: 80 }],
        },
      ],
    },
    { Endpoints: '1.1.1.1:80,1.1.1.2:80,1.1.1.3:80 + 1 more...' },
  ],
  [
    'discovery.k8s.io/v1',
    'EndpointSlice',
    { addressType: 'IPv4', ports: [{ port: 80 }, { name: 'x' }], endpoints: [{ addresses: ['1.1.1.1'] }] },
    { Ports: '80,x', Endpoints: '1.1.1.1' },
  ],
  ['discovery.k8s.io/v1', 'EndpointSlice', {}, { Ports: '<unset>', Endpoints: '<unset>' }],
  [
    'rbac.authorization.k8s.io/v1',
    'RoleBinding',
    {
      roleRef: { kind: 'Role', name: 'r' },
      subjects: [
        { kind: 'User', name: 'u' },
        { kind: 'User', name: 'v' },
        { kind: 'ServiceAccount', name: 's', namespace: 'd' },
      ],
    },
    { Role: 'Role/r', Users: 'u, v', Groups: '', ServiceAccounts: 'd/s' },
  ],
  ['v1', 'Secret', { type: 'Opaque', data: { a: '', b: '' } }, { Data: 2 }],
  ['v1', 'ConfigMap', { data: { a: '' }, binaryData: { b: '' } }, { Data: 2 }],
  [
    'autoscaling/v2',
    'HorizontalPodAutoscaler',
    {
      spec: {
        scaleTargetRef: { kind: 'Deployment', name: 'a' },
        maxReplicas: 5,
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
        ],
      },
    },
    { Reference: 'Deployment/a', Targets: 'cpu: <unknown>/80%', MinPods: '<unset>', MaxPods: 5 },
  ],
]

for (const [apiVersion, kind, object, cells] of rows) {
  test(`columns of ${kind} show ${Object.values(cells).join(' ')}`, () => {
    const shown = row(apiVersion, kind, object)
    assert.deepEqual(Object.fromEntries(Object.keys(cells).map(name => [name, shown[name]])), cells)
  })
}

test('age of no time is unknown', () => {
  assert.equal(age(undefined, now), '<unknown>')
  assert.equal(age(ago(90), now), '90s')
})

test('firstOf, formatLabels and formatSelector write what kubectl shows', () => {
  assert.equal(firstOf(['a', 'b'], 3), 'a,b')
  assert.equal(formatLabels({ b: '1', a: '2' }), 'a=2,b=1')
  assert.equal(formatLabels({}), '<none>')
  assert.equal(formatSelector({}), '<none>')
  assert.equal(formatSelector({ matchExpressions: [{ key: 'a', operator: 'In', values: ['x', 'y'] }] }), 'a in (x,y)')
  assert.equal(formatSelector({ matchExpressions: [{ key: 'a', operator: 'Like' }] }), '<error>')
})
