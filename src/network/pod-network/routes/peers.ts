/** The other machines of a cluster as their Node objects tell them: a range of pods each, and an address. Pure. */
import type { Node } from '../../../api/generated/types/core-v1.ts'
import { inCidr, parseCidr, parseIpv4 } from '../../../lib/ipv4.ts'

export interface Peer {
  readonly name: string
  /** `192.168.1.11`. */
  readonly address: string
  /** `10.244.3.0/24`. */
  readonly podCidr: string
}

/** The peer that a Node object describes; undefined where it has no range or no address yet. */
export function peerOf({ metadata, spec, status }: Node): Peer | undefined {
  const address = status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? ''
  const podCidr = spec?.podCIDR ?? ''
  if (parseIpv4(address) === undefined || !/^\d+\.\d+\.\d+\.\d+\/\d+$/.test(podCidr)) return undefined
  return { name: metadata?.name ?? '', address, podCidr }
}

/**
 * The peers of a node by their ranges. Left out: itself, ranges that lie outside of the cluster's or are its own (no
 * Node object may lead traffic elsewhere), and of two nodes with one range the one that comes later by name.
 */
export function peersOf(
  nodes: readonly Node[],
  self: { readonly name: string; readonly podCidr: string },
  clusterCidr: string,
): ReadonlyMap<string, Peer> {
  const cluster = parseCidr(clusterCidr)
  const peers = new Map<string, Peer>()
  for (const node of nodes.toSorted((a, b) => ((a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1))) {
    const peer = peerOf(node)
    if (!peer || peer.name === self.name || peer.podCidr === self.podCidr || peers.has(peer.podCidr)) continue
    const { base, bits } = parseCidr(peer.podCidr)
    if (bits < cluster.bits || !inCidr(cluster, peer.podCidr.split('/')[0]!) || base < cluster.base) continue
    peers.set(peer.podCidr, peer)
  }
  return peers
}
