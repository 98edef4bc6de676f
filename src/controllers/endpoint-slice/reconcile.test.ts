import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Node } from '../../api/kinds/core/node.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { Service } from '../../api/kinds/core/service.ts'
import { EndpointSlice } from '../../api/kinds/discovery/endpoint-slice.ts'
import { createWorld } from '../../control/simulate.ts'
import { endpointSliceController } from './controller.ts'

const NOW = Date.UTC(2026, 0, 1)
const ZONE = 'topology.kubernetes.io/zone'

/** A service of `topology-mode: Auto` with pods on a node of zone a, beside one of zone b. */
function topologyWorld(pods: number) {
  const world = createWorld()
  for (const zone of ['a', 'b'])
    world.put<Node>(Node, {
      metadata: { name: `node-${zone}`, labels: { [ZONE]: zone } },
      status: { allocatable: { cpu: '4' }, conditions: [{ type: 'Ready', status: 'True' }] },
    })
  for (let n = 0; n < pods; n++)
    world.put<Pod>(Pod, {
      metadata: { name: `p${n}`, namespace: 'default', labels: { app: 'web' } },
      spec: { nodeName: 'node-a', containers: [{ name: 'c' }] },
      status: { podIPs: [{ ip: `10.244.0.${n + 2}` }], conditions: [{ type: 'Ready', status: 'True' }] },
    })
  const setMode = (mode: string) =>
    world.put<Service>(Service, {
      metadata: {
        name: 'web',
        namespace: 'default',
        uid: 'web',
        annotations: { 'service.kubernetes.io/topology-mode': mode },
      },
      spec: { selector: { app: 'web' }, clusterIP: '10.96.0.9', ipFamilies: ['IPv4'], ports: [{ port: 80 }] },
    })
  setMode('Auto')
  const settle = () => world.settle(endpointSliceController, 'default/web', NOW)
  const hints = () =>
    world
      .list<EndpointSlice>(EndpointSlice)
      .flatMap(({ endpoints }) => endpoints ?? [])
      .map(each => each.hints?.forZones?.map(({ name }) => name).join())
      .toSorted()
  return { setMode, settle, hints, told: () => world.notes.map(({ reason, message }) => `${reason}: ${message}`) }
}

test('endpointSliceController deals endpoints out to the zones of the nodes, and says so once', () => {
  const { settle, hints, told } = topologyWorld(4)
  settle()
  assert.deepEqual(hints(), ['a', 'a', 'b', 'b'])
  assert.deepEqual(told(), ['TopologyAwareHintsEnabled: Topology Aware Hints has been enabled, addressType: IPv4'])
  const again = settle()
  assert.deepEqual([again.writes ?? [], again.notes ?? []], [[], []])
})

test('endpointSliceController says so again where it was switched off in between', () => {
  const { setMode, settle, hints, told } = topologyWorld(4)
  settle()
  setMode('Disabled')
  settle()
  assert.deepEqual(hints(), [undefined, undefined, undefined, undefined])
  setMode('Auto')
  settle()
  assert.deepEqual(hints(), ['a', 'a', 'b', 'b'])
  assert.equal(told().length, 2)
})

test('endpointSliceController leaves hints out and says why where there is no fair part for everyone', () => {
  const { settle, hints, told } = topologyWorld(1)
  settle()
  assert.deepEqual(hints(), [undefined])
  assert.deepEqual(told(), [
    'TopologyAwareHintsDisabled: Insufficient number of endpoints (1 endpoints, 2 zones), addressType: IPv4',
  ])
})

test('endpointSliceController leaves out pods whose node is gone, says so once, and takes them back with the node', () => {
  const world = createWorld()
  const addNode = () => world.put<Node>(Node, { metadata: { name: 'lost' } })
  for (const [name, nodeName] of [
    ['a', 'kept'],
    ['b', 'lost'],
    ['c', undefined],
  ] as const)
    world.put<Pod>(Pod, {
      metadata: { name, namespace: 'default', uid: name, labels: { app: 'web' } },
      spec: { ...(nodeName && { nodeName }), containers: [{ name: 'c' }] },
      status: { podIPs: [{ ip: '10.244.0.2' }], conditions: [{ type: 'Ready', status: 'True' }] },
    })
  world.put<Node>(Node, { metadata: { name: 'kept' } })
  const node = addNode()
  const setService = (publishNotReadyAddresses: boolean) =>
    world.put<Service>(Service, {
      metadata: { name: 'web', namespace: 'default', uid: 'web' },
      spec: { selector: { app: 'web' }, ipFamilies: ['IPv4', 'IPv6'], ports: [{ port: 80 }], publishNotReadyAddresses },
    })
  setService(false)
  const settle = () => world.settle(endpointSliceController, 'default/web', NOW)
  const shown = () =>
    world
      .list<EndpointSlice>(EndpointSlice)
      .flatMap(({ endpoints }) => endpoints ?? [])
      .map(({ targetRef }) => targetRef?.name)
      .toSorted()
      .join('')
  const concerned = (change: { previous?: typeof node; current?: typeof node }) =>
    endpointSliceController.watches
      ?.find(({ resource }) => resource.key === Node.key)
      ?.keys({ previous: change.previous, current: change.current }, world.view)
  settle()
  assert.equal(shown(), 'ab')
  world.remove(Node, 'lost')
  assert.deepEqual(concerned({ previous: node }), ['default/web'])
  settle()
  settle()
  assert.equal(shown(), 'a')
  const failed = 'Error updating Endpoint Slices for Service default/web: '
  const without = 'skipping Pod c for Service default/web: Node  Not Found'
  assert.deepEqual(
    world.notes.map(({ type, reason, message }) => [type, reason, message]),
    [
      ['Warning', 'FailedToUpdateEndpointSlices', `${failed}${without}`],
      [
        'Warning',
        'FailedToUpdateEndpointSlices',
        `${failed}[skipping Pod b for Service default/web: Node lost Not Found, ${without}]`,
      ],
    ],
  )
  setService(true)
  settle()
  assert.equal(shown(), 'abc')
  setService(false)
  settle()
  const again = addNode()
  assert.deepEqual(concerned({ current: again }), ['default/web'])
  settle()
  assert.equal(shown(), 'ab')
  assert.deepEqual(concerned({ previous: again, current: { ...again, status: {} } }), [])
})
