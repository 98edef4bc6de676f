/** The other machines of a cluster as their Node objects tell them: ranges of pods, and addresses. Pure. */
import type { Node } from '../../../api/generated/types/core-v1.ts'
import { familyOf, isWithin, parseCidr } from '../../../lib/ip-range.ts'

/** A range of pods on another machine. */
export interface Peer {
  readonly name: string
  /** `10.244.3.0/24`. */
  readonly podCidr: string
  /** The machine's address of the family of the range; absent where it tells none. */
  readonly address?: string
  /** Its address of the family in which this machine speaks to others: `192.168.1.11`. */
  readonly outer: string
}

/** This machine among the others. */
export interface Self {
  readonly name: string
  /** As the others reach it. */
  readonly address: string
  /** One a family. */
  readonly podCidrs: readonly string[]
}

function cidrOf(text: string) {
  try {
    return parseCidr(text)
  } catch {
    return undefined
  }
}

/** By which other machines reach a node. */
export const addressesOf = ({ status }: Node): readonly string[] =>
  (status?.addresses ?? []).flatMap(({ type, address }) => (type === 'InternalIP' ? [address] : []))

/** What a Node object describes, one a range; none where it has no range or no address yet. */
export function peersIn(node: Node, self: Pick<Self, 'address'>): Peer[] {
  const { metadata, spec } = node
  const addresses = addressesOf(node)
  const ofFamily = (text: string) => addresses.find(each => familyOf(each) === familyOf(text))
  const outer = ofFamily(self.address)
  if (outer === undefined) return []
  return (spec?.podCIDRs ?? [spec?.podCIDR ?? '']).filter(cidrOf).map(podCidr => {
    const address = ofFamily(podCidr)
    return { name: metadata?.name ?? '', podCidr, outer, ...(address && { address }) }
  })
}

/**
 * The peers of a node by their ranges. Left out: itself, ranges that lie outside of the cluster's or are its own (no
 * Node object may lead traffic elsewhere), and of two nodes with one range the one that comes later by name.
 */
export function peersOf(
  nodes: readonly Node[],
  self: Self,
  clusterCidrs: readonly string[],
): ReadonlyMap<string, Peer> {
  const clusters = clusterCidrs.map(parseCidr)
  const peers = new Map<string, Peer>()
  for (const node of nodes.toSorted((a, b) => ((a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1))) {
    if (node.metadata?.name === self.name) continue
    for (const peer of peersIn(node, self)) {
      const range = parseCidr(peer.podCidr)
      if (self.podCidrs.includes(peer.podCidr) || peers.has(peer.podCidr)) continue
      if (clusters.some(each => isWithin(range, each))) peers.set(peer.podCidr, peer)
    }
  }
  return peers
}
