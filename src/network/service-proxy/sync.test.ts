import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Service } from '../../api/generated/types/core-v1.ts'
import type { EndpointSlice } from '../../api/generated/types/discovery-v1.ts'
import { silent } from '../../lib/log.ts'
import { settled, virtualClock } from '../../lib/virtual-clock.ts'
import { createCatalog } from '../catalog.ts'
import { fixedInformer } from '../testing/fixed-informer.ts'
import type { ServiceChanges, ServiceProxy } from './proxy.ts'
import { startProxySync } from './sync.ts'

const service = (name: string, clusterIP = '10.96.0.7'): Service => ({
  metadata: { name, namespace: 'default' },
  spec: { clusterIP, clusterIPs: [clusterIP], ports: [{ port: 80 }] },
})
const slice = (of: string, address: string): EndpointSlice => ({
  addressType: 'IPv4',
  metadata: { name: `${of}-1`, namespace: 'default', labels: { 'kubernetes.io/service-name': of } },
  endpoints: [{ addresses: [address] }],
  ports: [{ name: '', port: 8080 }],
})

/** Records the calls; `fail` makes the next ones reject. */
function recorder() {
  const calls: string[] = []
  const state = { fail: 0 }
  const note = (kind: string) => async (changes: ServiceChanges) => {
    const what = [...changes].map(
      ([key, ports]) =>
        `${key}=${ports.map(({ backends }) => backends.map(({ address }) => address).join('+')).join()}`,
    )
    calls.push(`${kind} ${what.toSorted().join(' ')}`)
    if (state.fail > 0) {
      state.fail--
      throw new Error('no')
    }
  }
  const proxy: ServiceProxy = {
    reset: note('reset'),
    apply: note('apply'),
    localAddress: () => undefined,
    close: async () => {},
  }
  return { calls, state, proxy }
}

async function start() {
  const services = fixedInformer<Service>([service('a')])
  const slices = fixedInformer<EndpointSlice>([slice('a', '10.244.0.5')])
  const scope = new AbortController()
  const clock = virtualClock()
  const catalog = createCatalog({ services, endpointSlices: slices }, scope.signal)
  const made = recorder()
  const sync = await startProxySync({ catalog, proxy: made.proxy, clock, logger: silent }, scope.signal)
  return { services, slices, clock, sync, ...made }
}

test('startProxySync begins with everything, then carries only what changed, together', async () => {
  const { services, slices, sync, calls } = await start()
  assert.deepEqual(calls.splice(0), ['reset default/a=10.244.0.5'])
  services.put(service('b', '10.96.0.8'))
  slices.put(slice('b', '10.244.0.6'))
  slices.put(slice('b', '10.244.0.7'))
  await sync.idle()
  assert.deepEqual(calls.splice(0), ['apply default/b=10.244.0.7'])
  services.remove('default/b')
  slices.remove('default/b-1')
  await sync.idle()
  assert.deepEqual(calls.splice(0), ['apply default/b='])
})

test('startProxySync builds everything anew when a change fails, and tries again when that fails', async () => {
  const { slices, sync, calls, state, clock } = await start()
  calls.length = 0
  state.fail = 2
  slices.put(slice('a', '10.244.0.9'))
  await sync.idle()
  assert.deepEqual(calls.splice(0), ['apply default/a=10.244.0.9', 'reset default/a=10.244.0.9'])
  await clock.advance(1000)
  await settled()
  await sync.idle()
  assert.deepEqual(calls, ['reset default/a=10.244.0.9'])
})

test('startProxySync looks at every service again when the node moved while everything was being built', async () => {
  const { slices, sync, calls, proxy } = await start()
  calls.length = 0
  const { reset } = proxy
  proxy.reset = async changes => {
    proxy.reset = reset
    await reset(changes)
    sync.moved()
  }
  sync.moved()
  await sync.idle()
  assert.deepEqual(calls.splice(0), ['reset default/a=10.244.0.5', 'reset default/a=10.244.0.5'])
  slices.put(slice('a', '10.244.0.9'))
  await sync.idle()
  assert.deepEqual(calls, ['apply default/a=10.244.0.9'])
})

test('createCatalog finds services by their own and by their endpoints’ addresses while these stand', () => {
  const services = fixedInformer<Service>([service('a')])
  const slices = fixedInformer<EndpointSlice>([slice('a', '10.244.0.5')])
  const catalog = createCatalog({ services, endpointSlices: slices }, new AbortController().signal)
  assert.equal(catalog.byClusterIp('10.96.0.7')?.metadata?.name, 'a')
  assert.deepEqual(catalog.byEndpoint('10.244.0.5'), ['default/a'])
  assert.ok(catalog.hasNamespace('default'))
  slices.put(slice('a', '10.244.0.6'))
  assert.deepEqual(catalog.byEndpoint('10.244.0.5'), [])
  services.remove('default/a')
  slices.remove('default/a-1')
  assert.equal(catalog.byClusterIp('10.96.0.7'), undefined)
  assert.deepEqual(catalog.byEndpoint('10.244.0.6'), [])
  assert.ok(!catalog.hasNamespace('default'))
})
