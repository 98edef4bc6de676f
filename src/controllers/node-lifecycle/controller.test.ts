import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Lease } from '../../api/kinds/coordination/lease.ts'
import { Node } from '../../api/kinds/core/node.ts'
import { rfc3339, rfc3339Micro } from '../../api/machinery/time.ts'
import { createWorld } from '../../control/simulate.ts'
import { nodeLifecycleController } from './controller.ts'

const NOW = Date.UTC(2026, 0, 1)

for (const [what, offset] of [
  ['', 0],
  [', by a clock of its own', 3600_000],
] as const)
  test(`node lifecycle: a node that falls silent soon after its first lease has 40 s from that${what}`, () => {
    const world = createWorld()
    const said = rfc3339(NOW + offset)
    world.put<Node>(Node, {
      metadata: { name: 'n', uid: 'n' },
      status: { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: said, lastTransitionTime: said }] },
    })
    const waitAt = (ms: number) => world.settle(nodeLifecycleController, 'n', NOW + ms).requeue
    assert.deepEqual(waitAt(0), { type: 'after', ms: 40_000 })
    world.put<Lease>(Lease, {
      metadata: { name: 'n', namespace: 'kube-node-lease' },
      spec: { holderIdentity: 'n', renewTime: rfc3339Micro(NOW + offset + 10_000) },
    })
    assert.deepEqual(waitAt(40_000), { type: 'after', ms: 10_000 })
    waitAt(50_000)
    const [node] = world.list<Node>(Node)
    assert.equal(node?.status?.conditions?.find(each => each.type === 'Ready')?.status, 'Unknown')
  })
