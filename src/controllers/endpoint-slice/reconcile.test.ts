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
