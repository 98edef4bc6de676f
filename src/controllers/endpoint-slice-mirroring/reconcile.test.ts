import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Endpoints } from '../../api/kinds/core/endpoints.ts'
import { Service } from '../../api/kinds/core/service.ts'
import { EndpointSlice } from '../../api/kinds/discovery/endpoint-slice.ts'
import { createWorld } from '../../control/simulate.ts'
import { endpointSliceMirroringController } from './controller.ts'

const KEY = 'default/db'
const PORTS = [{ name: 'sql', port: 5432, protocol: 'TCP' as const }]

function world(service: object | undefined, metadata: object = {}) {
  const made = createWorld()
  if (service) made.put<Service>(Service, { metadata: { name: 'db' }, spec: service })
  const endpoints = (subsets: NonNullable<Endpoints['subsets']>) =>
    made.put<Endpoints>(Endpoints, { metadata: { name: 'db', uid: 'u', ...metadata }, subsets })
  const slices = () => made.list<EndpointSlice>(EndpointSlice)
  const shown = () =>
    slices()
      .map(each => `${each.addressType} ${each.endpoints?.map(one => `${one.addresses[0]} ${one.conditions?.ready}`)}`)
      .sort()
  return { ...made, endpoints, slices, shown, settle: () => made.settle(endpointSliceMirroringController, KEY, 0) }
}

test('Endpoints without a selector are mirrored by family, with labels and annotations', () => {
  const { endpoints, settle, shown, slices } = world(
    { ports: [] },
    { labels: { team: 'x' }, annotations: { a: 'b', 'endpoints.kubernetes.io/last-change-trigger-time': 'now' } },
  )
  endpoints([
    { addresses: [{ ip: '10.1.2.3' }, { ip: 'fd00::1' }], notReadyAddresses: [{ ip: '10.1.2.4' }], ports: PORTS },
  ])
  settle()
  assert.deepEqual(shown(), ['IPv4 10.1.2.3 true,10.1.2.4 false', 'IPv6 fd00::1 true'])
  const { labels, annotations, ownerReferences } = slices()[0]?.metadata ?? {}
  assert.deepEqual(labels, {
    team: 'x',
    'kubernetes.io/service-name': 'db',
    'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
  })
  assert.deepEqual(annotations, { a: 'b' })
  assert.equal(ownerReferences?.[0]?.kind, 'Endpoints')
})

test('an address that Endpoints name twice is mirrored once, as it was named last', () => {
  const { endpoints, settle, shown } = world({ ports: [] })
  endpoints([
    { addresses: [{ ip: '10.1.2.3' }], ports: PORTS },
    { addresses: [{ ip: '10.1.2.4' }], notReadyAddresses: [{ ip: '10.1.2.3' }], ports: PORTS },
  ])
  settle()
  assert.deepEqual(shown(), ['IPv4 10.1.2.3 false,10.1.2.4 true'])
})

test('mirrors follow changes in place, and go with the Endpoints', () => {
  const { endpoints, settle, shown, slices, remove } = world({ ports: [] })
  endpoints([{ addresses: [{ ip: '10.1.2.3' }], ports: PORTS }])
  settle()
  const name = slices()[0]?.metadata?.name
  endpoints([{ addresses: [{ ip: '10.1.2.9' }], ports: [{ port: 1, protocol: 'TCP' }] }])
  settle()
  assert.deepEqual(shown(), ['IPv4 10.1.2.9 true'])
  assert.equal(slices()[0]?.metadata?.name, name)
  remove(Endpoints, KEY)
  settle()
  assert.deepEqual(shown(), [])
})

for (const [what, service, metadata] of [
  ['without a service', undefined, {}],
  ['of a service with a selector', { selector: { app: 'db' } }, {}],
  ['with the label that says so', { ports: [] }, { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } }],
  ['of a leader election', { ports: [] }, { annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' } }],
] as const) {
  test(`Endpoints ${what} are not mirrored`, () => {
    const { endpoints, settle, shown } = world(service, metadata)
    endpoints([{ addresses: [{ ip: '10.1.2.3' }], ports: PORTS }])
    settle()
    assert.deepEqual(shown(), [])
  })
}

test('no more than a thousand addresses of a subset are mirrored, and that is told', () => {
  const { endpoints, settle, slices, notes } = world({ ports: [] })
  const addresses = Array.from({ length: 1005 }, (_, at) => ({ ip: `10.1.${at >> 8}.${at & 255}` }))
  endpoints([{ addresses, ports: PORTS }])
  settle()
  assert.equal(slices()[0]?.endpoints?.length, 1000)
  assert.match(notes[0]?.message ?? '', /5 addresses were skipped$/)
})
