import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kinds } from '../../api/kinds/all.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { portableKinds } from '../../cmd/portable-kinds.ts'
import { inCidr, parseCidr } from '../../lib/ip-range.ts'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { memoryStore } from '../../store/memory/memory.ts'
import { publishKubernetesService } from '../bootstrap/kubernetes-service.ts'
import { ADMIN, startServer, type TestServer } from '../bootstrap/server.fixture.ts'
import { createPool, staticSize } from './pool.ts'

const PATH = '/api/v1/namespaces/default/services'
const service = (name: string, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec: { selector: { app: name }, ports: [{ port: 80 }], ...spec },
})
const create = ({ send }: TestServer, name: string, spec?: object, query?: Record<string, string>) =>
  send(ADMIN, 'POST', PATH, service(name, spec), query ? { query } : {})
const merge = { contentType: 'application/merge-patch+json' }

test('a Service gets an address of the upper range, in both forms, of one family', async () => {
  const api = await startServer()
  const { object } = await create(api, 'web')
  const { clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy } = object.spec
  assert.ok(inCidr(parseCidr('10.96.0.0/16'), clusterIP) && !inCidr(parseCidr('10.96.0.0/24'), clusterIP), clusterIP)
  assert.deepEqual([clusterIPs, ipFamilies, ipFamilyPolicy], [[clusterIP], ['IPv4'], 'SingleStack'])
  await api.server.close()
})

test('named addresses are taken once, and free again with their service', async () => {
  const api = await startServer()
  assert.equal((await create(api, 'a', { clusterIP: '10.96.0.20' })).status, 201)
  const refused = await create(api, 'b', { clusterIP: '10.96.0.20' })
  assert.equal(refused.status, 422)
  assert.match(refused.object.message, /failed to allocate IP 10.96.0.20: provided IP is already allocated/)
  assert.equal((await create(api, 'a', { clusterIP: '10.96.0.20' })).status, 409, 'a name that is taken')
  assert.equal((await create(api, 'b', { clusterIP: '10.96.0.20' })).status, 422, 'and its address still is')
  const outside = await create(api, 'c', { clusterIP: '10.0.0.1' })
  assert.match(
    outside.object.message,
    /failed to allocate IP 10.0.0.1: the provided network does not match the current range/,
  )
  await api.send(ADMIN, 'DELETE', `${PATH}/a`)
  assert.equal((await create(api, 'b', { clusterIP: '10.96.0.20' })).status, 201)
  await api.server.close()
})

test('an update says every port of the node once, and no empty policy', async () => {
  const api = await startServer()
  const port = { name: 'a', port: 80, nodePort: 31_234 }
  assert.equal((await create(api, 'n', { type: 'NodePort', ports: [port] })).status, 201)
  const patch = (spec: object) => api.send(ADMIN, 'PATCH', `${PATH}/n`, { spec }, merge)
  const twice = await patch({ ports: [port, { ...port, name: 'b' }] })
  assert.deepEqual([twice.status, twice.object.message], [500, 'duplicate nodePort: {TCP 31234}'])
  const empty = await patch({ ipFamilyPolicy: '' })
  assert.equal(empty.status, 422)
  assert.match(empty.object.message, /spec.ipFamilyPolicy: Unsupported value: ""/)
  await api.server.close()
})

test('headless and external services get no address', async () => {
  const api = await startServer()
  const headless = (await create(api, 'h', { clusterIP: 'None' })).object.spec
  assert.deepEqual([headless.clusterIP, headless.clusterIPs, headless.ipFamilies], ['None', ['None'], ['IPv4']])
  const open = (await create(api, 'o', { clusterIP: 'None', selector: {} })).object.spec
  assert.deepEqual([open.ipFamilyPolicy, open.ipFamilies], ['RequireDualStack', ['IPv4', 'IPv6']])
  const external = await create(api, 'e', { type: 'ExternalName', externalName: 'example.com' })
  assert.equal(external.status, 201, JSON.stringify(external.object))
  assert.equal(external.object.spec.clusterIP, undefined)
  const dual = await create(api, 'd', { ipFamilyPolicy: 'RequireDualStack' })
  assert.match(dual.object.message, /this cluster is not configured for dual-stack services/)
  await api.server.close()
})

test('node ports are given, kept by name, shared by protocols, and refused when taken or out of range', async () => {
  const api = await startServer()
  const ports = [
    { name: 'tcp', port: 53, protocol: 'TCP' },
    { name: 'udp', port: 53, protocol: 'UDP' },
    { name: 'web', port: 80, nodePort: 30080 },
  ]
  const { object } = await create(api, 'a', { type: 'NodePort', ports })
  const [tcp, udp, web] = object.spec.ports.map((port: { nodePort: number }) => port.nodePort)
  assert.equal(tcp, udp)
  assert.ok(tcp >= 30086 && tcp <= 32767, String(tcp))
  assert.equal(web, 30080)
  const taken = await create(api, 'b', { type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] })
  assert.match(
    taken.object.message,
    /spec.ports\[0\].nodePort: Invalid value: 30080: provided port is already allocated/,
  )
  const outside = await create(api, 'b', { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] })
  assert.match(outside.object.message, /not in the valid range. The range of valid ports is 30000-32767/)
  const next = { ...object, spec: { ...object.spec, ports: ports.map(({ nodePort: _, ...port }) => port) } }
  delete next.spec.clusterIP
  delete next.spec.clusterIPs
  const updated = await api.send(ADMIN, 'PUT', `${PATH}/a`, next)
  assert.equal(updated.status, 200, JSON.stringify(updated.object))
  assert.deepEqual(
    updated.object.spec.ports.map((port: { nodePort: number }) => port.nodePort),
    [tcp, tcp, 30080],
  )
  assert.equal(updated.object.spec.clusterIP, object.spec.clusterIP)
  await api.server.close()
})

test('a change of type gives back ports and address', async () => {
  const api = await startServer()
  const ports = [{ port: 80, nodePort: 30081 }]
  await create(api, 'a', { type: 'NodePort', ports, clusterIP: '10.96.0.21' })
  const plain = await api.send(ADMIN, 'PATCH', `${PATH}/a`, { spec: { type: 'ClusterIP' } }, merge)
  assert.equal(plain.object.spec.ports[0].nodePort, undefined)
  assert.equal((await create(api, 'b', { type: 'NodePort', ports })).status, 201)
  const external = await api.send(
    ADMIN,
    'PATCH',
    `${PATH}/a`,
    { spec: { type: 'ExternalName', externalName: 'x.y' } },
    merge,
  )
  assert.equal(external.object.spec.clusterIP, undefined, JSON.stringify(external.object))
  assert.equal((await create(api, 'c', { clusterIP: '10.96.0.21' })).status, 201)
  await api.server.close()
})

test('a dry run keeps nothing', async () => {
  const api = await startServer()
  const spec = { type: 'NodePort', clusterIP: '10.96.0.22', ports: [{ port: 80, nodePort: 30082 }] }
  assert.equal((await create(api, 'a', spec, { dryRun: 'All' })).status, 201)
  assert.equal((await create(api, 'b', spec)).status, 201)
  await api.server.close()
})

test('a restart knows what is held', async () => {
  const first = await startServer()
  await create(first, 'a', { type: 'NodePort', clusterIP: '10.96.0.23', ports: [{ port: 80, nodePort: 30083 }] })
  await first.server.close()
  const second = await startServer({ store: first.store })
  assert.equal((await create(second, 'b', { clusterIP: '10.96.0.23' })).status, 422)
  assert.equal((await create(second, 'b', { type: 'NodePort', ports: [{ port: 80, nodePort: 30083 }] })).status, 422)
  await second.server.close()
})

test('publishKubernetesService has the first address and follows where the server listens', async () => {
  const api = await startServer()
  for (const port of [6443, 7443, 7443]) {
    await publishKubernetesService(api.server.registry, { address: '192.0.2.1', port })
    const { spec } = (await api.send(ADMIN, 'GET', `${PATH}/kubernetes`)).object
    assert.equal(spec.clusterIP, '10.96.0.1')
    assert.equal(spec.ports[0].targetPort, port)
    const slice = await api.send(ADMIN, 'GET', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes')
    assert.deepEqual([slice.object.endpoints[0].addresses, slice.object.ports[0].port], [['192.0.2.1'], port])
  }
  await api.server.close()
})

test('publishKubernetesService may point to loopback with the rules of portable mode', async () => {
  const api = await startServer({ kinds: portableKinds(kinds) })
  await publishKubernetesService(api.server.registry, { address: '127.0.0.1', port: 6443 })
  const { object } = await api.send(ADMIN, 'GET', '/api/v1/namespaces/default/endpoints/kubernetes')
  assert.equal(object.subsets[0].addresses[0].ip, '127.0.0.1')
  await api.server.close()
})

test('a Service of two families has an address of each, gives one back and gets another', async () => {
  const api = await startServer({ extensions: { serviceCidr: '10.96.0.0/16,fd00:10:96::/112' } })
  const networks = await api.send(ADMIN, 'GET', '/apis/networking.k8s.io/v1/servicecidrs/kubernetes')
  assert.deepEqual(networks.object.spec.cidrs, ['10.96.0.0/16', 'fd00:10:96::/112'])
  const { object } = await create(api, 'web', { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6'] })
  assert.match(object.spec.clusterIPs.join(), /^fd00:10:96::[0-9a-f]{3,4},10\.96\.\d+\.\d+$/)
  const names = async () =>
    (await api.send(ADMIN, 'GET', '/apis/networking.k8s.io/v1/ipaddresses')).object.items
      .map(
        (each: KubeObject) => `${each.metadata?.name} ${each.metadata?.labels?.['ipaddress.kubernetes.io/ip-family']}`,
      )
      .sort()
  const [v6, v4] = object.spec.clusterIPs
  assert.deepEqual(await names(), [`${v4} IPv4`, `${v6} IPv6`])
  const patch = (spec: object) => api.send(ADMIN, 'PATCH', `${PATH}/web`, { spec }, merge)
  const single = await patch({ ipFamilyPolicy: 'SingleStack' })
  assert.deepEqual([single.object.spec.clusterIPs, single.object.spec.ipFamilies], [[v6], ['IPv6']])
  const again = await patch({ ipFamilyPolicy: 'PreferDualStack', clusterIPs: [v6, '10.96.0.99'] })
  assert.deepEqual(again.object.spec.clusterIPs, [v6, '10.96.0.99'])
  assert.deepEqual(await names(), ['10.96.0.99 IPv4', `${v6} IPv6`])
  await api.server.close()
})

test('a cluster that gets a second family tells it in its ServiceCIDR', async () => {
  const clock = virtualClock()
  const store = memoryStore({ clock })
  const first = await startServer({ store, clock })
  await first.server.close()
  const second = await startServer({ store, clock, extensions: { serviceCidr: '10.96.0.0/16,fd00:10:96::/112' } })
  const networks = await second.send(ADMIN, 'GET', '/apis/networking.k8s.io/v1/servicecidrs/kubernetes')
  assert.deepEqual(networks.object.spec.cidrs, ['10.96.0.0/16', 'fd00:10:96::/112'])
  await second.server.close()
})

test('an update that is refused gives back what it took', async () => {
  const api = await startServer({ extensions: { serviceCidr: '10.96.0.0/16,fd00:10:96::/112' } })
  await create(api, 'web')
  const spec = { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv4', 'IPv6'], sessionAffinity: 'Nonsense' }
  const { spec: before } = (await api.send(ADMIN, 'GET', `${PATH}/web`)).object
  const clusterIPs = [before.clusterIP, 'fd00:10:96::77']
  assert.equal((await api.send(ADMIN, 'PATCH', `${PATH}/web`, { spec: { ...spec, clusterIPs } }, merge)).status, 422)
  assert.equal((await create(api, 'other', { clusterIP: 'fd00:10:96::77' })).status, 201)
  await api.server.close()
})

test('createPool uses the lower part for named numbers until the rest is used up', () => {
  const pool = createPool({ first: 1, size: 6, at: n => n + 1, staticSize: 3, reserved: new Set([1]) }, () => 0.5)
  const given = [1, 2, 3, 4, 5, 6].map(() => pool.takeNext('a'))
  assert.deepEqual(new Set(given.slice(0, 3)), new Set([4, 5, 6]))
  assert.deepEqual(new Set(given.slice(3)), new Set([2, 3, undefined]))
  assert.equal(pool.take(5, 'b'), 'refused')
  assert.equal(pool.take(5, 'a'), 'held')
  pool.release(5, 'b')
  assert.equal(pool.take(5, 'b'), 'refused')
  pool.release(5, 'a')
  assert.equal(pool.take(5, 'b'), 'taken')
  assert.equal(staticSize(65534, 256), 256)
  assert.equal(staticSize(2768, 128, 32), 86)
})
