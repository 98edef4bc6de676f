/** The two families of addresses. Pure. */
import { familyOf, WIDTH } from '../lib/ip-range.ts'

/** How nftables names what differs between them: the table's family, the type of an address, a packet's header. */
export const NFT_WORDS = {
  IPv4: { table: 'ip', address: 'ipv4_addr', header: 'ip' },
  IPv6: { table: 'ip6', address: 'ipv6_addr', header: 'ip6' },
} as const

/** An address as a range of itself alone, as in `10.244.0.1/32`. */
export const alone = (address: string): string => `${address}/${WIDTH[familyOf(address)!]}`

/** How `ip address` is told of one on a device. Of IPv6 it is there at once: no other machine is asked for it first. */
export const onDevice = (address: string, device: string): string =>
  `${alone(address)} dev ${device}${familyOf(address) === 'IPv6' ? ' nodad' : ''}`
