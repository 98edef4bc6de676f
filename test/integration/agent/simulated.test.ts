/** The real agent on the simulated runtime, by a clock that is set: no process, no file, no waiting. */
import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startAgent } from '../../../src/agent/agent.ts'
import { annotatedScripts, SIMULATE } from '../../../src/agent/runtimes/simulated/annotation.ts'
import { openSimulatedDriver } from '../../../src/agent/runtimes/simulated/driver.ts'
import { Pod } from '../../../src/api/kinds/core/pod.ts'
import { startCluster } from '../../../src/cmd/testing.ts'
import { silent } from '../../../src/lib/log.ts'

/** A cluster whose one node is a real agent. */
async function start() {
  const cluster = await startCluster({ clock: 'virtual', nodes: 0 })
  const { clock } = cluster
  const driver = openSimulatedDriver({ clock, anyHandler: true, script: annotatedScripts, address: () => '198.18.0.1' })
  const scope = new AbortController()
  const starting = startAgent(
    {
      transport: cluster.transport,
      clock,
      logger: silent,
      nodeName: 'n1',
      dataDir: join(tmpdir(), 'tutti-simulated-has-no-files'),
      runtimes: [driver],
      podNetwork: {
        setup: () => Promise.reject(new Error('simulated pods have no network')),
        teardown: async () => {},
        dns: { servers: [], clusterDomain: 'cluster.local' },
        list: async () => [],
      },
      serviceEnv: () => ({}),
      addresses: [{ type: 'InternalIP', address: '198.19.0.1' }],
    },
    scope.signal,
  )
  await cluster.settle()
  const agent = await starting
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
      scope.abort()
      await agent.ended
      await driver.close()
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
