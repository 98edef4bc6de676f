import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node } from '../../../api/generated/types/core-v1.ts'
import { peersOf } from './peers.ts'

const node = (name: string, podCIDR: string | undefined, address: string | undefined): Node => ({
  metadata: { name },
  spec: { ...(podCIDR && { podCIDR }) },
  status: { addresses: [{ type: 'Hostname', address: name }, ...(address ? [{ type: 'InternalIP', address }] : [])] },
})
const self = { name: 'self', address: '192.0.2.1', podCidrs: ['10.244.0.0/24'] }
const ranges = (...nodes: Node[]) =>
  [...peersOf(nodes, self, ['10.244.0.0/16']).values()].map(({ name, address, podCidr }) => [name, address, podCidr])

test('peersOf takes the nodes that have a range and an address, and not itself', () => {
  assert.deepEqual(
    ranges(
      node('self', '10.244.0.0/24', '192.0.2.1'),
      node('b', '10.244.2.0/24', '192.0.2.3'),
      node('a', '10.244.1.0/24', '192.0.2.2'),
      node('new', undefined, '192.0.2.4'),
      node('silent', '10.244.9.0/24', undefined),
    ),
    [
      ['a', '192.0.2.2', '10.244.1.0/24'],
      ['b', '192.0.2.3', '10.244.2.0/24'],
    ],
  )
})

test('peersOf leaves out what no node may claim', () => {
  assert.deepEqual(
    ranges(
      node('thief', '10.244.0.0/24', '192.0.2.2'),
      node('wide', '10.0.0.0/8', '192.0.2.3'),
      node('elsewhere', '10.96.0.0/24', '192.0.2.4'),
      node('second', '10.244.3.0/24', '192.0.2.6'),
      node('first', '10.244.3.0/24', '192.0.2.5'),
      node('nonsense', 'fd00::/64', '192.0.2.7'),
    ),
    [['first', '192.0.2.5', '10.244.3.0/24']],
  )
})
