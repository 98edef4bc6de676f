import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment } from '../../src/api/kinds/apps/deployment.ts'
import type { Endpoints } from '../../src/api/kinds/core/endpoints.ts'
import type { Pod } from '../../src/api/kinds/core/pod.ts'
import type { Service } from '../../src/api/kinds/core/service.ts'
import type { EndpointSlice } from '../../src/api/kinds/discovery/endpoint-slice.ts'
import { type Cluster, startCluster } from '../../src/cmd/testing.ts'
import { deployment, imageOf, inDefault, podsOf } from './objects.ts'

const service = (spec: Service['spec'] = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', labels: { team: 'a' } },
  spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }], ...spec },
})

const slices = async (cluster: Cluster) =>
  (
    await cluster.objects<EndpointSlice>('EndpointSlice').list({
      namespace: 'default',
      labelSelector: 'kubernetes.io/service-name=web',
    })
  ).items
const endpoints = async (cluster: Cluster) => (await slices(cluster)).flatMap(each => each.endpoints ?? [])
const legacy = (cluster: Cluster) => cluster.objects<Endpoints>('Endpoints').find(inDefault('web'))
const ready = async (cluster: Cluster) => (await endpoints(cluster)).filter(each => each.conditions?.ready).length

test('EndpointSlice shows the pods of a service with their conditions, and Endpoints mirror them', async () => {
  await using cluster = await startCluster({
    clock: 'virtual',
    nodes: [{ name: 'n1', labels: { 'topology.kubernetes.io/zone': 'z1' } }],
    script: () => ({ readyMs: 1000, stopMs: 3000 }),
  })
  await cluster.create(service())
  await cluster.settle()
  const [empty] = await slices(cluster)
  assert.deepEqual(empty?.endpoints ?? [], [])
  await cluster.create(deployment('web', { replicas: 2 }))
  await cluster.settle()
  assert.deepEqual(
    (await endpoints(cluster)).map(each => each.conditions),
    [
      { ready: false, serving: false, terminating: false },
      { ready: false, serving: false, terminating: false },
    ],
  )
  assert.equal((await legacy(cluster))?.subsets?.[0]?.notReadyAddresses?.length, 2)
  await cluster.advance(1000)
  const [slice, ...others] = await slices(cluster)
  assert.deepEqual(others, [])
  assert.equal(slice?.addressType, 'IPv4')
  assert.deepEqual(slice?.ports, [{ name: '', port: 8080, protocol: 'TCP' }])
  assert.deepEqual(slice?.metadata?.labels, {
    team: 'a',
    'kubernetes.io/service-name': 'web',
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
  })
  for (const each of slice?.endpoints ?? []) {
    assert.deepEqual(each.conditions, { ready: true, serving: true, terminating: false })
    assert.equal(each.nodeName, 'n1')
    assert.equal(each.zone, 'z1')
    assert.equal(each.targetRef?.kind, 'Pod')
  }
  const mirrored = (await legacy(cluster))?.subsets?.[0]
  assert.deepEqual(mirrored?.ports, [{ port: 8080, protocol: 'TCP' }])
  assert.equal(mirrored?.addresses?.length, 2)

  const [pod] = await podsOf(cluster, 'web')
  await cluster.objects<Pod>('Pod').delete(inDefault(pod?.metadata?.name ?? ''))
  await cluster.settle()
  const leaving = (await endpoints(cluster)).find(each => each.targetRef?.uid === pod?.metadata?.uid)
  assert.deepEqual(leaving?.conditions, { ready: false, serving: true, terminating: true })
  await cluster.advance(4000)
  assert.equal(await ready(cluster), 2)
})

test('EndpointSlice hints at zones and nodes as trafficDistribution asks', async () => {
  await using cluster = await startCluster({
    clock: 'virtual',
    nodes: [{ name: 'n1', labels: { 'topology.kubernetes.io/zone': 'z1' } }],
    script: () => ({ readyMs: 1000 }),
  })
  await cluster.create(service({ trafficDistribution: 'PreferSameNode' }))
  await cluster.create(deployment('web', { replicas: 1 }))
  await cluster.settle()
  const hints = async () => (await endpoints(cluster)).map(each => each.hints)
  assert.deepEqual(await hints(), [undefined], 'not before it is ready')
  await cluster.advance(1000)
  assert.deepEqual(await hints(), [{ forZones: [{ name: 'z1' }], forNodes: [{ name: 'n1' }] }])
  const services = cluster.objects<Service>('Service')
  for (const [trafficDistribution, wanted] of [
    ['PreferClose', { forZones: [{ name: 'z1' }] }],
    ['PreferSameZone', { forZones: [{ name: 'z1' }] }],
    [null, undefined],
  ]) {
    await services.patch(inDefault('web'), { spec: { trafficDistribution } } as never, { type: 'merge' })
    await cluster.settle()
    assert.deepEqual(await hints(), [wanted])
  }
})

test('EndpointSlice holds at most 100 endpoints and fills free places before it makes another', async () => {
  await using cluster = await startCluster({ clock: 'virtual', nodes: 3 })
  await cluster.create(service())
  await cluster.create(deployment('web', { replicas: 130 }))
  await cluster.until(async () => (await ready(cluster)) === 130)
  assert.deepEqual((await slices(cluster)).map(each => each.endpoints?.length).sort(), [100, 30])
  await cluster.objects<Deployment>('Deployment').patch(inDefault('web'), { spec: { replicas: 0 } }, { type: 'merge' })
  await cluster.until(async () => (await slices(cluster)).length === 1 && (await ready(cluster)) === 0)
})

test('EndpointSlice has groups by port where pods give one name different ports, or a map of their own', async () => {
  await using cluster = await startCluster({ clock: 'virtual' })
  await cluster.create(service({ ports: [{ name: 'http', port: 80, targetPort: 'web' }] }))
  const pod = (name: string, containerPort: number, annotations?: Record<string, string>): Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: 'web' }, ...(annotations && { annotations }) },
    spec: { containers: [{ name: 'c', image: 'v1', ports: [{ name: 'web', containerPort }] }] },
  })
  await cluster.create(pod('a', 8080))
  await cluster.create(pod('b', 9090))
  await cluster.create(pod('c', 8080, { 'tutti.dev/ports': '{"8080":41234}' }))
  await cluster.until(async () => (await ready(cluster)) === 3)
  assert.deepEqual((await slices(cluster)).map(each => each.ports?.[0]?.port).sort(), [41234, 8080, 9090])
})

test('EndpointSlice of a headless service names hosts, and shows pods that are not ready when it is told to', async () => {
  await using cluster = await startCluster({ clock: 'virtual', script: () => ({ readyMs: null }) })
  await cluster.create(service({ clusterIP: 'None', publishNotReadyAddresses: true }))
  const spec = { hostname: 'db-0', subdomain: 'web', containers: [{ name: 'c', image: 'v1' }] }
  await cluster.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'db', labels: { app: 'web' } }, spec } as Pod)
  await cluster.until(async () => (await ready(cluster)) === 1)
  const [slice] = await slices(cluster)
  assert.equal(slice?.endpoints?.[0]?.hostname, 'db-0')
  assert.equal(slice?.metadata?.labels?.['service.kubernetes.io/headless'], '')
})

test('EndpointSlice follows the selector of its service and goes with it', async () => {
  await using cluster = await startCluster({ clock: 'virtual' })
  await cluster.create(service())
  await cluster.create(deployment('web', { replicas: 1 }))
  await cluster.create(deployment('other', { replicas: 2 }, 'v9'))
  await cluster.until(async () => (await ready(cluster)) === 1)
  await cluster
    .objects<Service>('Service')
    .patch(inDefault('web'), { spec: { selector: { app: 'other' } } }, { type: 'merge' })
  await cluster.until(async () => (await ready(cluster)) === 2)
  assert.deepEqual(new Set((await podsOf(cluster, 'other')).map(imageOf)), new Set(['v9']))
  await cluster.objects<Service>('Service').delete(inDefault('web'))
  await cluster.until(async () => (await slices(cluster)).length === 0 && (await legacy(cluster)) === undefined)
})
