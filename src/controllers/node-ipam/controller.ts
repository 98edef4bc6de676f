/**
 * Gives each node a range of addresses for its pods out of the cluster's (Kubernetes documentation, kube-controller-
 * manager, `--allocate-node-cidrs`). A range is free again when its node is gone.
 */
import type { Node as NodeType } from '../../api/generated/types/core-v1.ts'
import { Node } from '../../api/kinds/core/node.ts'
import { type Controller, defineController, read, type View } from '../../control/controller.ts'
import { after, type Plan } from '../../control/plan.ts'
import { type Cidr, familyOf, formatCidr, offsetIn, parseCidr, partOf } from '../../lib/ip-range.ts'

/** Where nodes' ranges of one family come from. */
export interface NodeRange {
  /** `10.244.0.0/16`. */
  readonly clusterCidr: string
  /** Bits of a node's prefix: 24. */
  readonly nodeBits: number
}

/** One for each family of the cluster's pods, the first family first. */
export type NodeRanges = readonly [NodeRange, ...NodeRange[]]

/** While there is no range, how often one is looked for, ms: a node that goes wakes nobody else. */
const LOOK_MS = 10_000
/** So many nodes are told apart, at most (upstream's limit too). */
const MAX_NODES = 2 ** 16

/** A range with its parts. */
interface Cut {
  readonly cluster: Cidr
  readonly nodeBits: number
  /** How many parts it has. */
  readonly count: number
}

function cut({ clusterCidr, nodeBits }: NodeRange): Cut {
  const cluster = parseCidr(clusterCidr)
  return { cluster, nodeBits, count: Math.min(2 ** (nodeBits - cluster.bits), MAX_NODES) }
}

const listOf = (ranges: NodeRanges): readonly Cut[] => ranges.map(cut)

/** Which of the parts a text names; undefined for what lies outside. */
function indexOf(text: string, { cluster, nodeBits }: Cut): number | undefined {
  const offset = offsetIn(cluster, text.split('/')[0] ?? '')
  return offset === undefined ? undefined : Math.floor(offset / partOf(cluster, nodeBits, 0).size)
}

const rangesOf = ({ spec }: NodeType) => spec?.podCIDRs ?? (spec?.podCIDR ? [spec.podCIDR] : [])

/** The first part number that is free in every family; undefined where there is none. */
function freeIndex(cuts: readonly Cut[], given: readonly string[], remembered: ReadonlySet<number>) {
  const used = new Set(remembered)
  for (const each of cuts)
    for (const text of given) {
      const index = indexOf(text, each)
      if (index !== undefined) used.add(index)
    }
  const count = Math.min(...cuts.map(each => each.count))
  for (let index = 0; index < count; index++) if (!used.has(index)) return index
  return undefined
}

/** What is remembered of a node, by its uid. */
interface Remembered {
  /** The number of the ranges that it was given a moment ago: they may not be in the cache yet. */
  readonly index?: number
  /** It was told which families it has no range of. */
  readonly isTold?: true
}
const memoryOf = ({ memory }: View) => memory as Map<string, Remembered>

/**
 * Says at a node that is from the time before the cluster had a second family what to do: what ranges a Node has may not
 * change (kube-apiserver's rule). A machine that is alone needs none.
 */
function missingFamilies(node: NodeType, view: View, cuts: readonly Cut[]): Plan {
  const given = new Set(rangesOf(node).map(text => familyOf(text)))
  const missing = cuts.map(({ cluster }) => cluster.family).filter(family => !given.has(family))
  const memory = memoryOf(view)
  const uid = node.metadata?.uid ?? ''
  const known = memory.get(uid)
  if (missing.length === 0 || view.of<NodeType>(Node).list().length < 2 || known?.isTold) return {}
  memory.set(uid, { ...known, isTold: true })
  const message = `Node ${node.metadata?.name} has no range of ${missing} for its pods, as it is older than that family of the cluster. It gets one when it is made anew: stop it (tutti down), kubectl delete node ${node.metadata?.name}, start it again (tutti up)`
  return { notes: [{ target: node, type: 'Warning', reason: 'CIDRFamilyMissing', message }] }
}

/** Plans ranges for a node that has none: the parts of the same number in every family. */
export function reconcile(node: NodeType, view: View, ranges: NodeRanges): Plan {
  if (node.metadata?.deletionTimestamp) return {}
  const cuts = listOf(ranges)
  if (rangesOf(node).length) return missingFamilies(node, view, cuts)
  const memory = memoryOf(view)
  const uid = node.metadata?.uid ?? ''
  const all = view.of<NodeType>(Node).list()
  const living = new Set(all.map(each => each.metadata?.uid))
  const remembered = new Set<number>()
  for (const [owner, { index }] of memory) {
    if (!living.has(owner)) memory.delete(owner)
    else if (owner !== uid && index !== undefined) remembered.add(index)
  }
  const index = freeIndex(cuts, all.flatMap(rangesOf), remembered)
  if (index === undefined)
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
  memory.set(uid, { ...memory.get(uid), index })
  const podCIDRs = cuts.map(({ cluster, nodeBits }) => formatCidr(partOf(cluster, nodeBits, index)))
  const next: NodeType = { ...node, spec: { ...node.spec, podCIDR: podCIDRs[0]!, podCIDRs } }
  return { writes: [{ type: 'update', resource: Node, current: node, next }] }
}

/** The ranges of the first node. */
export const firstRanges = (ranges: NodeRanges): readonly string[] =>
  listOf(ranges).map(({ cluster, nodeBits }) => formatCidr(partOf(cluster, nodeBits, 0)))

function checkRange({ clusterCidr, nodeBits }: NodeRange): void {
  const cluster = parseCidr(clusterCidr)
  const most = cluster.family === 'IPv4' ? 30 : 120
  if (nodeBits < cluster.bits || nodeBits > most)
    throw new Error(`a node's range of /${nodeBits} must lie in ${formatCidr(cluster)} and be of /${most} or larger`)
}

/** The controller for these ranges. Throws an Error where no node's range fits in. */
export function nodeIpamController(ranges: NodeRanges): Controller {
  for (const range of ranges) checkRange(range)
  return defineController<NodeType>({
    name: 'node-ipam-controller',
    queue: 'node_ipam',
    for: Node,
    reads: [read(Node)],
    concurrency: 1,
    reconcile: (node, view) => reconcile(node, view, ranges),
  })
}
