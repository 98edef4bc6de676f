import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigMap } from '../api/kinds/core/config-map.ts'
import { serviceUnavailable } from '../api/machinery/status-error.ts'
import { createClient } from '../client/client.ts'
import { createInformers } from '../client/informers.ts'
import type { ApiRequest, ApiResponse, Transport } from '../client/transport.ts'
import { type Cluster, startCluster } from '../cmd/testing.ts'
import { silent } from '../lib/log.ts'
import { type Controller, defineController } from './controller.ts'
import { after, type Plan } from './plan.ts'
import { runController } from './run-controller.ts'

/** Runs a controller in a cluster that has no others. */
async function start(
  reconcile: (map: ConfigMap, children: readonly ConfigMap[], now: number) => Plan,
  wrap: (inner: Transport) => Transport = inner => inner,
) {
  const cluster = await startCluster({ clock: 'virtual', nodes: 0, controllers: false })
  const scope = new AbortController()
  const client = createClient(wrap(cluster.transport))
  const { clock } = cluster
  const informers = createInformers(client, { clock, logger: silent }, scope.signal)
  const passes: { key: string; now: number; children: number }[] = []
  const controller: Controller = defineController<ConfigMap>({
    name: 'test-controller',
    for: ConfigMap,
    reconcile(map, view, now) {
      const children = view.of<ConfigMap>(ConfigMap).byIndex('owner', map.metadata?.uid ?? '')
      if (map.metadata?.labels?.parent) passes.push({ key: map.metadata.name ?? '', now, children: children.length })
      return map.metadata?.labels?.parent ? reconcile(map, children, now) : {}
    },
    owns: [ConfigMap],
  })
  const running = runController(controller, { client, informers, clock, logger: silent }, scope.signal)
  const stop = async () => {
    scope.abort()
    await cluster.settle()
    await running
    await cluster.stop()
  }
  return { cluster, passes, stop }
}

const parent = (cluster: Cluster, name = 'p') =>
  cluster.create<ConfigMap>({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, labels: { parent: 'yes' } },
  })

const child = (map: ConfigMap): Plan => ({
  writes: [
    {
      type: 'create',
      resource: ConfigMap,
      object: {
        metadata: {
          namespace: 'default',
          generateName: 'c-',
          ownerReferences: [
            {
              apiVersion: 'v1',
              kind: 'ConfigMap',
              name: map.metadata?.name ?? '',
              uid: map.metadata?.uid ?? '',
              controller: true,
            },
          ],
        },
      },
    },
  ],
})

const childrenOf = async (cluster: Cluster) =>
  (await cluster.client.kind<ConfigMap>(ConfigMap).list({ namespace: 'default' })).items.filter(
    each => each.metadata?.ownerReferences,
  ).length

test('runController does not reconcile an object again before its caches show what it wrote', async () => {
  /** A watch that is late: everything else is quick. */
  const late =
    (inner: Transport): Transport =>
    async (request: ApiRequest): Promise<ApiResponse> => {
      const response = await inner(request)
      if (!response.events) return response
      const events = response.events
      async function* slowly() {
        for await (const batch of events) {
          await new Promise<void>(resolve => void run.cluster.clock.after(500, resolve))
          yield batch
        }
      }
      return { ...response, events: slowly() }
    }
  const run = await start((map, children) => (children.length < 3 ? child(map) : {}), late)
  await parent(run.cluster)
  await run.cluster.advance(10_000)
  assert.equal(await childrenOf(run.cluster), 3)
  const counts = run.passes.map(each => each.children)
  assert.deepEqual([...new Set(counts)], [0, 1, 2, 3], 'each pass after a write sees it')
  await run.stop()
})

test('runController looks again after the time that a plan asks for, and not at all without', async () => {
  let looks = 0
  const run = await start(() => (++looks < 3 ? { requeue: after(1000) } : {}))
  await parent(run.cluster)
  await run.cluster.advance(60_000)
  assert.deepEqual(
    run.passes.map(each => each.now - run.passes[0]!.now),
    [0, 1000, 2000],
  )
  await run.stop()
})

test('runController tries again with growing waits when a write fails, and acts once though the outcome was unknown', async () => {
  let failures = 0
  const unsure =
    (inner: Transport): Transport =>
    async request => {
      const response = await inner(request)
      if (request.method !== 'POST' || !request.path.endsWith('/configmaps') || failures >= 1) return response
      failures++
      const { status } = serviceUnavailable('the answer was lost')
      return { status: 503, object: status }
    }
  const run = await start((map, children) => (children.length < 1 ? child(map) : {}), unsure)
  await parent(run.cluster)
  await run.cluster.advance(5_000)
  assert.equal(failures, 1)
  assert.equal(await childrenOf(run.cluster), 1)
  await run.stop()
})

test('runController survives a reconciler that throws, and goes on with other objects', async () => {
  const run = await start(map => {
    if (map.metadata?.name === 'bad') throw new Error('cannot')
    return {}
  })
  await parent(run.cluster, 'bad')
  await parent(run.cluster, 'good')
  await run.cluster.advance(100)
  assert.ok(run.passes.filter(each => each.key === 'bad').length > 3)
  assert.equal(run.passes.filter(each => each.key === 'good').length, 1)
  await run.stop()
})

test('runController slows down for an object that it writes without end', async () => {
  const { cluster, passes, stop } = await start(map => ({
    writes: [
      {
        type: 'update',
        resource: ConfigMap,
        current: map,
        next: { ...map, data: { count: String(Number(map.data?.count ?? 0) + 1) } },
      },
    ],
  }))
  await parent(cluster)
  await cluster.settle()
  const burst = passes.length
  assert.ok(burst >= 300 && burst <= 310, `${burst} passes at once`)
  await cluster.advance(2000)
  const more = passes.length - burst
  assert.ok(more >= 15 && more <= 25, `${more} passes in two seconds`)
  await stop()
})
