/** The two families of addresses. Pure. */
import { isIPv4, isIPv6 } from 'node:net'
import type { Family } from '../lib/ip-range.ts'

/** How nftables names what differs between them: the table's family, the type of an address, a packet's header. */
export const NFT_WORDS = {
  IPv4: { table: 'ip', address: 'ipv4_addr', header: 'ip' },
  IPv6: { table: 'ip6', address: 'ipv6_addr', header: 'ip6' },
} as const

/** Whether an address, or a range as in `10.0.0.0/8`, is of the family; what is neither is of none. */
export function isOf(family: Family, text: string): boolean {
  const address = text.split('/')[0] ?? ''
  return family === 'IPv4' ? isIPv4(address) : isIPv6(address)
}
