/** The machine's clock is set on or back, by a person, by NTP or because it slept: what waits goes on waiting as long. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment } from '../../src/api/generated/types/apps-v1.ts'
import type { Event as CoreEvent, Node, Pod } from '../../src/api/generated/types/core-v1.ts'
import { type Cluster, startCluster } from '../../src/cmd/testing.ts'
import { deployment, inDefault } from './objects.ts'

const HOUR = 3_600_000
const JUMPS = [HOUR, -HOUR, 24 * HOUR, -24 * HOUR]

const ready = async (cluster: Cluster, count: number) =>
  (await cluster.objects<Deployment>('Deployment').get(inDefault('web'))).status?.readyReplicas === count
const uids = async (cluster: Cluster) =>
  (await cluster.objects<Pod>('Pod').list()).items.map(({ metadata }) => metadata?.uid).sort()
const readyNodes = async (cluster: Cluster) =>
  (await cluster.objects<Node>('Node').list()).items.filter(({ status }) =>
    status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
  ).length

for (const jump of JUMPS)
  test(`a clock that is set by ${jump / HOUR} h moves no pod, and a node that dies afterwards is found in time`, async () => {
    await using cluster = await startCluster({ clock: 'virtual', nodes: 3 })
    await cluster.create(deployment('web'))
    await cluster.until(() => ready(cluster, 3))
    const before = await uids(cluster)
    cluster.jump(jump)
    for (let minute = 0; minute < 10; minute++) {
      await cluster.advance(60_000)
      assert.equal(await readyNodes(cluster), 3, `after ${minute + 1} min`)
    }
    assert.deepEqual(await uids(cluster), before)
    const told = (await cluster.objects<CoreEvent>('Event').list()).items.map(({ reason }) => reason)
    assert.ok(!told.includes('NodeNotReady'), told.join(' '))

    cluster.stopNode('node-1')
    await cluster.until(async () => (await readyNodes(cluster)) === 2, 60_000)
  })

for (const jump of JUMPS)
  test(`a clock that is set by ${jump / HOUR} h leaves Deployments and back-offs working`, async () => {
    await using cluster = await startCluster({ clock: 'virtual', nodes: 1 })
    // What fits on no node waits in the scheduler's back-off.
    const big = deployment('web', { replicas: 1 } as Deployment['spec'])
    big.spec!.template.spec!.containers[0]!.resources = { requests: { cpu: '100000' } }
    await cluster.create(big)
    await cluster.advance(5000)
    cluster.jump(jump)
    cluster.addNode({ name: 'big', capacity: { cpu: '200000', memory: '64Gi', pods: '110' } })
    await cluster.until(() => ready(cluster, 1), 30_000)
    const deployments = cluster.objects<Deployment>('Deployment')
    await deployments.patch(inDefault('web'), { spec: { replicas: 2 } }, { type: 'merge' })
    await cluster.until(() => ready(cluster, 2), 30_000)
  })
