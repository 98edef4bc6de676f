/**
 * Notices nodes that have gone silent, and keeps taints in step with conditions. Heartbeats wake nobody: when one is
 * due the lease is looked at.
 */
import { Lease } from '../../api/kinds/coordination/lease.ts'
import { Node } from '../../api/kinds/core/node.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { keyOf } from '../../client/informer-types.ts'
import { defineController, read, watch } from '../../control/controller.ts'
import { podsByNode } from '../pods-by-node.ts'
import { readiness, reconcile } from './reconcile.ts'

export const nodeLifecycleController = defineController<Node>({
  name: 'node-controller',
  queue: 'node_lifecycle_controller',
  for: Node,
  watches: [
    // Evictions stop when no node is well: whether one is concerns all.
    watch(Node, ({ previous, current }, view) =>
      previous && current && readiness(previous) === readiness(current) ? [] : view.of(Node).list().map(keyOf),
    ),
  ],
  reads: [read(Lease), read(Pod, { node: podsByNode })],
  reconcile,
})
