import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Service } from '../../api/generated/types/core-v1.ts'
import type { Endpoint, EndpointSlice } from '../../api/generated/types/discovery-v1.ts'
import { settled, virtualClock } from '../../lib/virtual-clock.ts'
import { createCatalog } from '../catalog.ts'
import { fixedInformer } from '../testing/fixed-informer.ts'
import { createDeparture } from './departure.ts'

const POD = { uid: 'u1', ips: ['10.244.0.5'], withinMs: 15_000 }
const slice = (conditions: Endpoint['conditions'], uid = 'u1'): EndpointSlice => ({
  addressType: 'IPv4',
  metadata: { name: 'web-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
  endpoints: [{ addresses: ['10.244.0.5'], conditions: conditions!, targetRef: { kind: 'Pod', uid } }],
})

/** Steps of a pod that leaves: what was done by when. */
function start(slices: readonly EndpointSlice[], pod = POD, follows = true) {
  const services = fixedInformer<Service>([{ metadata: { name: 'web', namespace: 'default' } }])
  const informer = fixedInformer<EndpointSlice>(slices)
  const scope = new AbortController()
  const clock = virtualClock()
  const steps: string[] = []
  const synced = async () => {
    steps.push('synced')
    if (!follows) await new Promise(() => {})
  }
  const catalog = createCatalog({ services, endpointSlices: informer }, scope.signal)
  void createDeparture({ catalog, synced, clock }, scope.signal)(pod).then(() => steps.push('left'))
  const pass = async (ms: number) => {
    await clock.advance(ms)
    await settled()
    return steps.splice(0)
  }
  return { informer, pass }
}

test('createDeparture waits until no service leads to the pod and the data plane follows, and a moment more', async () => {
  for (const conditions of [
    { ready: false, serving: true, terminating: true },
    { ready: true, terminating: true },
  ]) {
    const { informer, pass } = start([slice({ ready: true })])
    assert.deepEqual(await pass(100), [])
    informer.put(slice(conditions))
    assert.deepEqual(await pass(40), ['synced'])
    assert.deepEqual(await pass(10), ['left'])
  }
})

test('createDeparture waits for no news of an endpoint that is told as one that ends already', async () => {
  const { pass } = start([slice({ ready: false, serving: true, terminating: true })])
  assert.deepEqual(await pass(0), ['synced'])
  assert.deepEqual(await pass(50), ['left'])
})

test('createDeparture waits no longer for a data plane that does not follow', async () => {
  const { informer, pass } = start([slice({ ready: true })], POD, false)
  await pass(100)
  informer.put(slice({ ready: false, terminating: true }))
  assert.deepEqual(await pass(899), ['synced'])
  assert.deepEqual(await pass(51), ['left'])
})

test('createDeparture waits for a second at most, and not for a pod that is behind no service', async () => {
  const { pass } = start([slice({ ready: true })])
  assert.deepEqual(await pass(999), [])
  assert.deepEqual(await pass(51), ['synced', 'left'])
  assert.deepEqual(await start([slice({ ready: true })], { ...POD, withinMs: 500 }).pass(550), ['synced', 'left'])
  assert.deepEqual(await start([]).pass(0), ['left'])
  assert.deepEqual(await start([slice({ ready: true }, 'another')]).pass(0), ['left'], 'the address of another pod now')
})
