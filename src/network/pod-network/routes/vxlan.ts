/**
 * The way to machines on other segments: VXLAN (RFC 7348), one link a node. Nobody learns or asks who is where: every
 * peer's link address follows from its address, so both are written down beforehand.
 */
import { parseIpv4 } from '../../../lib/ipv4.ts'
import type { Peer } from './peers.ts'

/** Not named as pods' links are: what comes from it comes from outside of the machine. */
export const VXLAN_LINK = 'tuttivx0'
const ID = 4736
const PORT = 8472
/** Bytes that the outer headers take. */
const OVERHEAD = 50

/** The link address of a node's end. Locally administered, unicast. */
function macOf(address: string): string {
  const value = parseIpv4(address)!
  const bytes = [24, 16, 8, 0].map(shift => ((value >>> shift) & 255).toString(16).padStart(2, '0'))
  return `0e:78:${bytes.join(':')}`
}

/** What a node's end is called inside: the first address of its range, which no pod has. */
const endOf = ({ podCidr }: Pick<Peer, 'podCidr'>) => podCidr.split('/')[0]!

/** Commands of `ip` that make this node's end; harmless where it stands. */
export const linkCommands = (self: Omit<Peer, 'name'>, mtu: number): readonly string[] => [
  `link add ${VXLAN_LINK} address ${macOf(self.address)} mtu ${mtu - OVERHEAD} type vxlan id ${ID} dstport ${PORT} local ${self.address} nolearning`,
  `addr replace ${endOf(self)}/32 dev ${VXLAN_LINK}`,
  `link set ${VXLAN_LINK} up`,
]

/** Commands of `ip`, and of `bridge`, that lead to a peer. */
export const peerCommands = (peer: Peer, protocol: number): { ip: string; bridge: string } => ({
  ip: `neigh replace ${endOf(peer)} lladdr ${macOf(peer.address)} dev ${VXLAN_LINK} nud permanent
route replace ${peer.podCidr} via ${endOf(peer)} dev ${VXLAN_LINK} onlink proto ${protocol}`,
  bridge: `fdb replace ${macOf(peer.address)} dev ${VXLAN_LINK} dst ${peer.address} self permanent`,
})
