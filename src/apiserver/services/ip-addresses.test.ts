import assert from 'node:assert/strict'
import test from 'node:test'
import { settled, virtualClock } from '../../lib/virtual-clock.ts'
import { memoryStore } from '../../store/memory/memory.ts'
import { ADMIN, startServer } from '../bootstrap/server.fixture.ts'

const SERVICES = '/api/v1/namespaces/default/services'
const ADDRESSES = '/apis/networking.k8s.io/v1/ipaddresses'
const CIDRS = '/apis/networking.k8s.io/v1/servicecidrs'

const service = (name: string, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec: { ports: [{ port: 80 }], ...spec },
})
const address = (name: string, parentRef: object = { resource: 'things', name: 'mine' }) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IPAddress',
  metadata: { name },
  spec: { parentRef },
})

async function start(options: Parameters<typeof startServer>[0] = {}) {
  const api = await startServer(options)
  const addresses = async () =>
    (await api.send(ADMIN, 'GET', ADDRESSES)).object.items.map(
      (each: { metadata: { name: string } }) => each.metadata.name,
    ) as string[]
  const make = (name: string, spec?: object) => api.send(ADMIN, 'POST', SERVICES, service(name, spec))
  return { ...api, addresses, make }
}

test('ipAddresses has an object for every cluster IP as soon as the service is there, and until it goes', async () => {
  const { server, send, make, addresses } = await start()
  const { object } = await make('web')
  const { clusterIP } = object.spec
  const found = await send(ADMIN, 'GET', `${ADDRESSES}/${clusterIP}`)
  assert.deepEqual(found.object.spec.parentRef, { resource: 'services', namespace: 'default', name: 'web' })
  assert.deepEqual(found.object.metadata.labels, {
    'ipaddress.kubernetes.io/ip-family': 'IPv4',
    'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
  })
  await send(ADMIN, 'DELETE', `${SERVICES}/web`)
  await settled()
  assert.deepEqual(await addresses(), [])
  await server.close()
})

test('ipAddresses keeps addresses that others have from services', async () => {
  const { server, send, make } = await start()
  await send(ADMIN, 'POST', ADDRESSES, address('10.96.0.77'))
  const refused = await make('web', { clusterIP: '10.96.0.77' })
  assert.equal(refused.status, 422)
  assert.match(refused.object.message, /failed to allocate IP 10\.96\.0\.77: provided IP is already allocated/)
  await send(ADMIN, 'DELETE', `${ADDRESSES}/10.96.0.77`)
  assert.equal((await make('web', { clusterIP: '10.96.0.77' })).status, 201)
  await server.close()
})

test('ipAddresses leaves nothing behind of a service that is refused or only tried', async () => {
  const { server, send, make, addresses } = await start()
  assert.equal((await make('web', { ports: [{ port: 0 }] })).status, 422)
  await settled()
  await send(ADMIN, 'POST', SERVICES, service('web'), { query: { dryRun: 'All' } })
  assert.deepEqual(await addresses(), [])
  await server.close()
})

test('ipAddresses makes an object again that was removed under a service, and those of before', async () => {
  const store = memoryStore({ clock: virtualClock() })
  const first = await start({ store })
  const { clusterIP } = (await first.make('web')).object.spec
  await first.send(ADMIN, 'DELETE', `${ADDRESSES}/${clusterIP}`)
  await settled()
  assert.deepEqual(await first.addresses(), [clusterIP])
  await first.server.close()
  const second = await start({ store })
  await settled()
  assert.deepEqual(await second.addresses(), [clusterIP])
  await second.server.close()
})

test('addressRanges gives addresses of a further network once it is ready, and none when it ends', async () => {
  const { server, send, make } = await start()
  const cidr = { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name: 'more' } }
  const made = await send(ADMIN, 'POST', CIDRS, { ...cidr, spec: { cidrs: ['10.200.0.0/28'] } })
  assert.equal(made.status, 201)
  const early = await make('early', { clusterIP: '10.200.0.5' })
  assert.match(early.object.message, /the provided network does not match the current range/)
  const lastTransitionTime = '2026-01-01T00:00:00Z'
  const ready = { type: 'Ready', status: 'True', reason: 'Test', message: '', lastTransitionTime }
  const put = await send(ADMIN, 'PUT', `${CIDRS}/more/status`, { ...made.object, status: { conditions: [ready] } })
  assert.equal(put.status, 200)
  assert.equal((await make('web', { clusterIP: '10.200.0.5' })).status, 201)
  await send(ADMIN, 'DELETE', `${CIDRS}/more`)
  assert.equal((await make('late', { clusterIP: '10.200.0.6' })).status, 422)
  await server.close()
})
