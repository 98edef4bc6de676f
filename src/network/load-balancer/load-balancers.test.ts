import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Service } from '../../api/generated/types/core-v1.ts'
import type { EndpointSlice } from '../../api/generated/types/discovery-v1.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import type { Client } from '../../client/client.ts'
import type { EventRecorder } from '../../client/event-recorder.ts'
import { silent } from '../../lib/log.ts'
import { settled, virtualClock } from '../../lib/virtual-clock.ts'
import { createCatalog } from '../catalog.ts'
import { fixedInformer } from '../testing/fixed-informer.ts'
import { startLoadBalancers } from './load-balancers.ts'
import { poolAddresses } from './pool-addresses.ts'
import { parsePool } from './pools.ts'

/** Over services whose statuses are written back, with a pool of these addresses. */
function start(addresses: readonly string[], signal: AbortSignal) {
  const services = fixedInformer<Service>()
  const catalog = createCatalog({ services, endpointSlices: fixedInformer<EndpointSlice>() }, signal)
  const told: string[] = []
  const clock = virtualClock()
  const failures = new Map<string, number>()
  const patch = async (
    { namespace, name }: { namespace: string; name: string },
    { status }: Pick<Service, 'status'>,
  ) => {
    const left = failures.get(name) ?? 0
    failures.set(name, left - 1)
    if (left > 0) throw new Error('the API server is away')
    services.put({ ...services.get(`${namespace}/${name}`)!, status: status! })
  }
  const balancers = startLoadBalancers(
    {
      catalog,
      client: { kind: () => ({ patch }) } as unknown as Client,
      events: {
        event: ({ metadata }: KubeObject, _: string, reason: string) => told.push(`${metadata?.name} ${reason}`),
      } as unknown as EventRecorder,
      clock,
      logger: silent,
      listen: () => assert.fail('addresses of pools need no listener'),
      addresses: ['192.0.2.1'],
      pool: poolAddresses([parsePool('only', addresses)], catalog),
      locate: () => undefined,
      allProtocols: true,
      nodePorts: false,
    },
    signal,
  )
  return {
    told,
    clock,
    balancers,
    fail: (name: string, times: number) => void failures.set(name, times),
    async put(name: string, spec: object = {}) {
      const status = services.get(`a/${name}`)?.status
      services.put({
        metadata: { name, namespace: 'a' },
        spec: { type: 'LoadBalancer', ipFamilies: ['IPv4'], ports: [{ port: 80 }], ...spec },
        ...(status && { status }),
      })
      await balancers.idle()
    },
    async remove(name: string) {
      services.remove(`a/${name}`)
      await balancers.idle()
    },
    addressOf: (name: string) => services.get(`a/${name}`)?.status?.loadBalancer?.ingress?.[0]?.ip,
  }
}

test('startLoadBalancers gives a service that waits the address that another gives back', async () => {
  for (const giveBack of ['removed', 'no load balancer any more', 'asks for another address'] as const) {
    const scope = new AbortController()
    const { told, put, remove, addressOf } = start(['192.0.2.10-192.0.2.11'], scope.signal)
    await put('first')
    await put('second')
    await put('third')
    assert.deepEqual(['first', 'second', 'third'].map(addressOf), ['192.0.2.10', '192.0.2.11', undefined])
    assert.deepEqual(told, ['third AddressNotAvailable'])
    if (giveBack === 'removed') await remove('first')
    else if (giveBack === 'no load balancer any more') await put('first', { type: 'ClusterIP' })
    else await put('first', { loadBalancerIP: '203.0.113.1' })
    assert.equal(addressOf('third'), '192.0.2.10', giveBack)
    scope.abort()
  }
})

test('startLoadBalancers writes a status that could not be written later, again and again', async () => {
  const scope = new AbortController()
  const { clock, balancers, fail, put, addressOf } = start(['192.0.2.10'], scope.signal)
  fail('web', 2)
  await put('web')
  assert.equal(addressOf('web'), undefined)
  for (const ms of [1000, 2000]) {
    await clock.advance(ms)
    await settled()
    await balancers.idle()
  }
  assert.equal(addressOf('web'), '192.0.2.10')
  scope.abort()
})

test('startLoadBalancers does not hold a service back because another one fails', async () => {
  const scope = new AbortController()
  const { clock, balancers, fail, put, addressOf } = start(['192.0.2.10-192.0.2.11'], scope.signal)
  fail('bad', Infinity)
  await put('bad')
  for (const ms of [1000, 2000, 4000]) {
    await clock.advance(ms)
    await settled()
    await balancers.idle()
  }
  fail('good', 1)
  await put('good')
  await clock.advance(1000)
  await settled()
  await balancers.idle()
  assert.deepEqual(['bad', 'good'].map(addressOf), [undefined, '192.0.2.11'])
  scope.abort()
})
