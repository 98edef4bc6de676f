/** The real agent on the simulated runtime, by a clock that is set: no process, no waiting. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SIMULATE } from '../../../src/agent/runtimes/simulated/annotation.ts'
import { Pod } from '../../../src/api/kinds/core/pod.ts'
import { startCluster } from '../../../src/cmd/testing.ts'
import { startSimulatedNode } from './simulated-node.ts'

/** A cluster whose one node is a real agent. */
async function start() {
  const cluster = await startCluster({ clock: 'virtual', nodes: 0 })
  const node = await startSimulatedNode(cluster)
  const pods = cluster.client.kind<Pod>(Pod)
  const ref = (name: string) => ({ namespace: 'default', name })
  return {
    cluster,
    pods,
    ref,
    find: (name: string) => pods.find(ref(name)),
    create: (name: string, container: object, annotation?: object) =>
      cluster.create<Pod>({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, ...(annotation && { annotations: { [SIMULATE]: JSON.stringify(annotation) } }) },
        spec: { containers: [{ name: 'main', image: 'anything:1', ...container }] },
      } as Pod),
    async close() {
      await node.close()
      await cluster.stop()
    },
  }
}

const ready = (pod: Pod | undefined) => pod?.status?.conditions?.find(each => each.type === 'Ready')?.status === 'True'

test('a simulated pod of any image becomes Ready when its probe succeeds, and has an address', async () => {
  const { cluster, create, find, close } = await start()
  const probe = { httpGet: { path: '/', port: 80 }, periodSeconds: 1 }
  await create('web', { readinessProbe: probe }, { main: { healthyMs: 5000 } })
  await cluster.advance(4000)
  const early = await find('web')
  assert.equal(early?.status?.phase, 'Running')
  assert.ok(!ready(early))
  await cluster.advance(3000)
  const late = await find('web')
  assert.ok(ready(late))
  assert.equal(late?.status?.podIP, '198.18.0.1')
  await close()
})

test('a simulated container that ends is restarted with a growing back-off', async () => {
  const { cluster, create, find, close } = await start()
  await create('crash', {}, { main: { exitAfterMs: 1000, exitCode: 7 } })
  await cluster.until(async () => (await find('crash'))?.status?.containerStatuses?.[0]?.restartCount === 2, 60_000)
  const [status] = (await find('crash'))?.status?.containerStatuses ?? []
  assert.equal(status?.lastState?.terminated?.exitCode, 7)
  await close()
})

test('a simulated pod that is deleted has its grace, and no more', async () => {
  const { cluster, create, find, pods, ref, close } = await start()
  await create('stubborn', {}, { main: { stopMs: null } })
  await cluster.until(async () => ready(await find('stubborn')))
  await pods.delete(ref('stubborn'), { gracePeriodSeconds: 10 })
  await cluster.advance(9000)
  assert.ok(await find('stubborn'))
  await cluster.advance(2000)
  assert.equal(await find('stubborn'), undefined)
  await close()
})

test('a simulated node takes pods of any RuntimeClass', async () => {
  const { cluster, find, close } = await start()
  await cluster.create({
    apiVersion: 'node.k8s.io/v1',
    kind: 'RuntimeClass',
    metadata: { name: 'vm' },
    handler: 'kata',
  } as object)
  await cluster.create<Pod>({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { runtimeClassName: 'vm', containers: [{ name: 'main', image: 'x' }] },
  } as Pod)
  await cluster.until(async () => ready(await find('p')))
  await close()
})
