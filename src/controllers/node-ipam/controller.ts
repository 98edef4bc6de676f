/**
 * Gives each node a range of addresses for its pods out of the cluster's (Kubernetes documentation, kube-controller-
 * manager, `--allocate-node-cidrs`). A range is free again when its node is gone.
 */
import type { Node as NodeType } from '../../api/generated/types/core-v1.ts'
import { Node } from '../../api/kinds/core/node.ts'
import { type Controller, defineController, read, type View } from '../../control/controller.ts'
import { after, type Plan } from '../../control/plan.ts'
import { addressAt, type Cidr, formatIpv4, parseCidr } from '../../lib/ipv4.ts'

export interface NodeRanges {
  /** `10.244.0.0/16`. */
  readonly clusterCidr: string
  /** Bits of a node's prefix: 24. */
  readonly nodeBits: number
}

/** While there is no range, how often one is looked for, ms: a node that goes wakes nobody else. */
const LOOK_MS = 10_000

/** Which of the ranges a text names; undefined for what lies outside. */
function indexOf(text: string, cluster: Cidr, size: number): number | undefined {
  try {
    const { base } = parseCidr(text)
    const at = Math.floor((base - cluster.base) / size)
    return base >= cluster.base && base < cluster.base + cluster.size ? at : undefined
  } catch {
    return undefined
  }
}

/** Plans a range for a node that has none. */
export function reconcile(node: NodeType, view: View, ranges: NodeRanges): Plan {
  if (node.spec?.podCIDR || node.metadata?.deletionTimestamp) return {}
  const cluster = parseCidr(ranges.clusterCidr)
  const size = 2 ** (32 - ranges.nodeBits)
  const uid = node.metadata?.uid ?? ''
  const all = view.of<NodeType>(Node).list()
  const used = new Set(all.map(each => indexOf(each.spec?.podCIDR ?? '', cluster, size)))
  // What was given a moment ago may not be in the cache yet.
  const living = new Set(all.map(each => each.metadata?.uid))
  for (const [owner, index] of view.memory as Map<string, number>) {
    if (!living.has(owner)) view.memory.delete(owner)
    else if (owner !== uid) used.add(index)
  }
  const count = cluster.size / size
  let index = 0
  while (index < count && used.has(index)) index++
  if (index >= count)
    return {
      notes: [
        {
          target: node,
          type: 'Warning',
          reason: 'CIDRNotAvailable',
          message: `Node ${node.metadata?.name} status is now: CIDRNotAvailable`,
        },
      ],
      requeue: after(LOOK_MS),
    }
  view.memory.set(uid, index)
  const podCIDR = `${addressAt(cluster, index * size)}/${ranges.nodeBits}`
  const next: NodeType = { ...node, spec: { ...node.spec, podCIDR, podCIDRs: [podCIDR] } }
  return { writes: [{ type: 'update', resource: Node, current: node, next }] }
}

/** The controller for these ranges. Throws an Error where no node's range fits in. */
export function nodeIpamController(ranges: NodeRanges): Controller {
  const { base, bits } = parseCidr(ranges.clusterCidr)
  if (ranges.nodeBits < bits || ranges.nodeBits > 30)
    throw new Error(
      `a node's range of /${ranges.nodeBits} must lie in ${formatIpv4(base)}/${bits} and have four addresses or more`,
    )
  return defineController<NodeType>({
    name: 'node-ipam-controller',
    queue: 'node_ipam',
    for: Node,
    reads: [read(Node)],
    concurrency: 1,
    reconcile: (node, view) => reconcile(node, view, ranges),
  })
}
