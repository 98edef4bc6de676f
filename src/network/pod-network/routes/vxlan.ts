/**
 * The way to machines on other segments, and to ranges of a family in which a machine has no address: VXLAN (RFC 7348),
 * one link a node. Nobody learns or asks who is where: every peer's link address follows from its address, so both are
 * written down beforehand.
 */
import { createHash } from 'node:crypto'
import { familyOf, parseAddress } from '../../../lib/ip-range.ts'
import { onDevice } from '../../family.ts'
import type { Peer, Self } from './peers.ts'

/** Not named as pods' links are: what comes from it comes from outside of the machine. */
export const VXLAN_LINK = 'tuttivx0'
const ID = 4736
const PORT = 8472
/** Bytes that the outer headers take. */
const OVERHEAD = { IPv4: 50, IPv6: 70 } as const

/** The link address of a node's end. Locally administered, unicast. */
function macOf(address: string): string {
  const v4 = parseAddress('IPv4', address)
  const bytes =
    v4 === undefined ? createHash('sha256').update(address).digest('hex').slice(0, 8) : v4.toString(16).padStart(8, '0')
  return `0e:78:${bytes.match(/../g)!.join(':')}`
}

/** What a node's end is called inside: the first address of its range, which no pod has. */
const endOf = (podCidr: string) => podCidr.split('/')[0]!

/** Commands of `ip` that make this node's end; harmless where it stands. */
export function linkCommands({ address, podCidrs }: Omit<Self, 'name'>, mtu: number): readonly string[] {
  const inner = mtu - OVERHEAD[familyOf(address)!]
  const ends = podCidrs.map(endOf).map(end => `addr replace ${onDevice(end, VXLAN_LINK)}`)
  return [
    `link add ${VXLAN_LINK} address ${macOf(address)} mtu ${inner} type vxlan id ${ID} dstport ${PORT} local ${address} nolearning`,
    ...ends,
    `link set ${VXLAN_LINK} up`,
  ]
}

/** Commands of `ip`, and of `bridge`, that lead to a peer. */
export const peerCommands = ({ podCidr, outer }: Peer, protocol: number): { ip: string; bridge: string } => ({
  ip: `neigh replace ${endOf(podCidr)} lladdr ${macOf(outer)} dev ${VXLAN_LINK} nud permanent
route replace ${podCidr} via ${endOf(podCidr)} dev ${VXLAN_LINK} onlink proto ${protocol}`,
  bridge: `fdb replace ${macOf(outer)} dev ${VXLAN_LINK} dst ${outer} self permanent`,
})
