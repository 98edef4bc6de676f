import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node as NodeType } from '../../api/generated/types/core-v1.ts'
import { Node } from '../../api/kinds/core/node.ts'
import { createWorld } from '../../control/simulate.ts'
import { type NodeRange, nodeIpamController } from './controller.ts'

const NOW = Date.UTC(2026, 0, 1)

/** The range that a node called `new` gets beside nodes with these ranges. */
function given(
  others: readonly string[],
  range: NodeRange = { clusterCidr: '10.244.0.0/22', nodeBits: 24 },
  second?: NodeRange,
) {
  const world = createWorld()
  others.forEach((podCIDR, at) => {
    world.put<NodeType>(Node, { metadata: { name: `n${at}` }, spec: { ...(podCIDR && { podCIDR }) } })
  })
  world.put<NodeType>(Node, { metadata: { name: 'new' }, spec: {} })
  const controller = nodeIpamController(second ? [range, second] : [range])
  const plan = world.settle(controller, 'new', NOW)
  const node = world.list<NodeType>(Node).find(({ metadata }) => metadata?.name === 'new')
  assert.equal(node?.spec?.podCIDRs?.[0], node?.spec?.podCIDR)
  return { range: node?.spec?.podCIDR, all: node?.spec?.podCIDRs, plan, notes: world.notes.map(({ reason }) => reason) }
}

test('nodeIpamController gives the lowest range that no other node has', () => {
  assert.equal(given([]).range, '10.244.0.0/24')
  assert.equal(given(['10.244.0.0/24', '10.244.2.0/24']).range, '10.244.1.0/24')
  assert.equal(given(['10.244.0.0/24', '10.244.1.0/24', '192.0.2.0/24', '']).range, '10.244.2.0/24')
  assert.equal(given([], { clusterCidr: '10.8.0.0/16', nodeBits: 20 }).range, '10.8.0.0/20')
  assert.equal(given(['10.8.0.0/20'], { clusterCidr: '10.8.0.0/16', nodeBits: 20 }).range, '10.8.16.0/20')
})

test('nodeIpamController gives a range of each family, of the same number', () => {
  const v4 = { clusterCidr: '10.244.0.0/16', nodeBits: 24 }
  const v6 = { clusterCidr: 'fd00:10:244::/56', nodeBits: 64 }
  assert.deepEqual(given([], v4, v6).all, ['10.244.0.0/24', 'fd00:10:244::/64'])
  assert.deepEqual(given(['10.244.0.0/24', 'fd00:10:244:1::/64'], v4, v6).all, ['10.244.2.0/24', 'fd00:10:244:2::/64'])
  assert.deepEqual(given(['fd00:10:244::/64'], v6, v4).all, ['fd00:10:244:1::/64', '10.244.1.0/24'])
  assert.throws(() => nodeIpamController([v4, { ...v6, nodeBits: 48 }]), /\/48 must lie in fd00:10:244::\/56/)
})

test('nodeIpamController says once what a node needs that is older than the second family, beside others', () => {
  const world = createWorld()
  const controller = nodeIpamController([
    { clusterCidr: '10.244.0.0/16', nodeBits: 24 },
    { clusterCidr: 'fd00:10:244::/56', nodeBits: 64 },
  ])
  const look = (podCIDRs: string[]) => {
    world.put<NodeType>(Node, { metadata: { name: 'a', uid: 'a' }, spec: { podCIDR: podCIDRs[0]!, podCIDRs } })
    const before = world.notes.length
    world.settle(controller, 'a', NOW)
    return world.notes.slice(before).map(({ reason }) => reason)
  }
  assert.deepEqual(look(['10.244.0.0/24']), [], 'alone')
  world.put<NodeType>(Node, { metadata: { name: 'b' }, spec: {} })
  assert.deepEqual(look(['10.244.0.0/24', 'fd00:10:244::/64']), [])
  assert.deepEqual(look(['10.244.0.0/24']), ['CIDRFamilyMissing'])
  assert.deepEqual(look(['10.244.0.0/24']), [])
})

test('nodeIpamController says that no range is left, and looks again', () => {
  const { range, plan, notes } = given(['10.244.0.0/24', '10.244.1.0/24', '10.244.2.0/24', '10.244.3.0/24'])
  assert.equal(range, undefined)
  assert.deepEqual(notes, ['CIDRNotAvailable'])
  assert.deepEqual(plan.requeue, { type: 'after', ms: 10_000 })
})

test('nodeIpamController refuses ranges that do not fit', () => {
  assert.throws(() => nodeIpamController([{ clusterCidr: '10.244.0.0/16', nodeBits: 8 }]), /must lie in 10.244.0.0\/16/)
})
