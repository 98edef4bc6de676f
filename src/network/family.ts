/** The two families of addresses. Pure. */
import { BlockList, isIPv4, isIPv6 } from 'node:net'
import type { Family } from '../lib/ip-range.ts'

/** How nftables names what differs between them: the table's family, the type of an address, a packet's header. */
export const NFT_WORDS = {
  IPv4: { table: 'ip', address: 'ipv4_addr', header: 'ip' },
  IPv6: { table: 'ip6', address: 'ipv6_addr', header: 'ip6' },
} as const

/** How many bits an address has. */
export const WIDTH: Readonly<Record<Family, number>> = { IPv4: 32, IPv6: 128 }

/** Whether an address, or a range as in `10.0.0.0/8`, is of the family; what is neither is of none. */
export function isOf(family: Family, text: string): boolean {
  const address = text.split('/')[0] ?? ''
  return family === 'IPv4' ? isIPv4(address) : isIPv6(address)
}

/** Whether an address lies in one of the ranges, as in `10.96.0.0/16`; ranges of the other family do not count. */
export function inRanges(ranges: readonly string[]): (address: string) => boolean {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() }
  const wordOf = (address: string) => (isIPv4(address) ? 'ipv4' : 'ipv6')
  for (const range of ranges) {
    const [base = '', bits = ''] = range.split('/')
    lists[wordOf(base)].addSubnet(base, Number(bits), wordOf(base))
  }
  return address => lists[wordOf(address)].check(address, wordOf(address))
}
