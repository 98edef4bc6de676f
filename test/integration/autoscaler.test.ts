/** HorizontalPodAutoscalers on real agents with the simulated runtime, by a clock that is set. */
import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { after, before, test } from 'node:test'
import { type Machine, thisMachine } from '../../src/agent/node/machine.ts'
import { SIMULATE } from '../../src/agent/runtimes/simulated/annotation.ts'
import type { Deployment } from '../../src/api/kinds/apps/deployment.ts'
import type { HorizontalPodAutoscaler } from '../../src/api/kinds/autoscaling/horizontal-pod-autoscaler.ts'
import type { Event } from '../../src/api/kinds/core/event.ts'
import { type Cluster, startCluster } from '../../src/cmd/testing.ts'
import { startSimulatedNode } from './agent/simulated-node.ts'

const machine: Machine = {
  capacity: { cpu: '64', memory: '64Gi', pods: '110' },
  info: thisMachine(tmpdir()).info,
}
let cluster: Cluster
let node: Awaited<ReturnType<typeof startSimulatedNode>>

before(async () => {
  cluster = await startCluster({ clock: 'virtual', nodes: 0, nodeApi: () => node?.agent.api })
  node = await startSimulatedNode(cluster, { machine })
})
after(async () => {
  await node.close()
  await cluster.stop()
})

/** A Deployment each of whose pods asks for 100m of CPU and uses `cpu`. */
const deploy = (name: string, cpu: string, replicas = 1) =>
  cluster.create({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name }, annotations: { [SIMULATE]: JSON.stringify({ '*': { cpu } }) } },
        spec: { containers: [{ name: 'main', image: 'any:1', resources: { requests: { cpu: '100m' } } }] },
      },
    },
  } as unknown as Deployment)

const autoscale = (name: string, spec: object = {}) =>
  cluster.create({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name },
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name }, maxReplicas: 10, ...spec },
  } as unknown as HorizontalPodAutoscaler)

const replicasOf = async (name: string) =>
  (await cluster.objects<Deployment>('Deployment').get({ namespace: 'default', name })).spec?.replicas
const statusOf = async (name: string) =>
  (await cluster.objects<HorizontalPodAutoscaler>('HorizontalPodAutoscaler').get({ namespace: 'default', name })).status
const reasonsOf = async (name: string) =>
  Object.fromEntries(
    (await statusOf(name))?.conditions?.map(({ type, status, reason }) => [type, `${status} ${reason}`]) ?? [],
  )
const eventsOf = async (name: string) =>
  (await cluster.objects<Event>('Event').list({ namespace: 'default' })).items
    .filter(({ involvedObject }) => involvedObject.kind === 'HorizontalPodAutoscaler' && involvedObject.name === name)
    .map(({ reason, message }) => `${reason}: ${message}`)

test('an autoscaler gives busy pods more replicas, up to its most, and says why', async () => {
  await deploy('busy', '160m', 2)
  await autoscale('busy')
  await cluster.until(async () => (await replicasOf('busy')) === 4, 120_000)
  await cluster.until(async () => (await replicasOf('busy')) === 8, 120_000)
  await cluster.until(async () => (await replicasOf('busy')) === 10, 120_000)
  await cluster.until(async () => (await statusOf('busy'))?.currentReplicas === 10, 60_000)
  await cluster.until(async () => (await reasonsOf('busy')).AbleToScale === 'True ReadyForNewScale', 60_000)
  const status = await statusOf('busy')
  assert.equal(status?.desiredReplicas, 10)
  assert.deepEqual(status?.currentMetrics, [
    { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 160, averageValue: '160m' } } },
  ])
  assert.deepEqual(await reasonsOf('busy'), {
    AbleToScale: 'True ReadyForNewScale',
    ScalingActive: 'True ValidMetricFound',
    ScalingLimited: 'True TooManyReplicas',
  })
  const why = 'cpu resource utilization (percentage of request) above target'
  assert.ok((await eventsOf('busy')).includes(`SuccessfulRescale: New size: 10; reason: ${why}`))
})

test('an autoscaler takes replicas away when pods are idle for five minutes', async () => {
  await deploy('idle', '10m', 4)
  const since = cluster.clock.elapsed()
  await autoscale('idle', { minReplicas: 2 })
  await cluster.until(async () => (await replicasOf('idle')) === 2, 600_000)
  assert.ok(cluster.clock.elapsed() - since >= 300_000)
  assert.ok((await eventsOf('idle')).includes('SuccessfulRescale: New size: 2; reason: All metrics below target'))
})

test('an autoscaler brings a target between its bounds without asking what is used', async () => {
  await deploy('few', '50m', 1)
  await autoscale('few', { minReplicas: 3 })
  await cluster.until(async () => (await replicasOf('few')) === 3, 30_000)
  const why = 'Current number of replicas below Spec.MinReplicas'
  await cluster.until(async () => (await eventsOf('few')).includes(`SuccessfulRescale: New size: 3; reason: ${why}`))
})

test('an autoscaler says what it cannot do', async () => {
  const metric = (name: string) => ({ metric: { name }, target: { type: 'AverageValue', averageValue: '1' } })
  const cases = [
    {
      name: 'nothing',
      event: 'FailedGetScale: deployments.apps "nothing" not found',
      reasons: { AbleToScale: 'False FailedGetScale' },
    },
    {
      name: 'none',
      replicas: 0,
      event: undefined,
      reasons: { AbleToScale: 'True SucceededGetScale', ScalingActive: 'False ScalingDisabled' },
    },
    {
      name: 'custom',
      replicas: 1,
      spec: { metrics: [{ type: 'Pods', pods: metric('requests') }] },
      event:
        'FailedGetPodsMetric: unable to get metric requests: unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered',
      reasons: { AbleToScale: 'True SucceededGetScale', ScalingActive: 'False FailedGetPodsMetric' },
    },
    {
      name: 'external',
      replicas: 1,
      spec: { metrics: [{ type: 'External', external: metric('queue') }] },
      event:
        'FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 1), first error is: failed to get queue external metric value: unable to get external metric default/queue: unable to fetch metrics from external metrics API: no external metrics API (external.metrics.k8s.io) registered',
      reasons: { AbleToScale: 'True SucceededGetScale', ScalingActive: 'False FailedGetExternalMetric' },
    },
  ]
  for (const { name, replicas, spec } of cases) {
    if (replicas !== undefined) await deploy(name, '50m', replicas)
    await autoscale(name, spec)
  }
  for (const { name, event, reasons } of cases) {
    await cluster.until(async () => assert.deepEqual(await reasonsOf(name), reasons), 30_000)
    if (event)
      await cluster.until(async () =>
        assert.deepEqual(
          (await eventsOf(name)).filter(each => each === event),
          [event],
        ),
      )
  }
})

test('two autoscalers of the same pods scale nothing', async () => {
  await deploy('shared', '160m', 1)
  await autoscale('shared')
  await cluster.until(async () => (await replicasOf('shared')) === 2, 120_000)
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shared' }
  await autoscale('rival', { scaleTargetRef })
  await cluster.until(async () => (await reasonsOf('rival')).ScalingActive === 'False AmbiguousSelector', 60_000)
  await cluster.until(async () => (await reasonsOf('shared')).ScalingActive === 'False AmbiguousSelector', 60_000)
})
