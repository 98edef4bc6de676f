/** Names of addresses the other way round: `7.0.96.10.in-addr.arpa`, and the 32 digits of `ip6.arpa`. Pure. */
import { isIPv4, isIPv6 } from 'node:net'

const V4 = '.in-addr.arpa'
const V6 = '.ip6.arpa'

export const isReverse = (name: string) => name.endsWith(V4) || name.endsWith(V6)

/** An IPv6 address in its shortest spelling (RFC 5952), as the API has it. */
function canonical(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1)
}

/** The address that a whole reverse name stands for; undefined for a part of one and for nonsense. */
export function addressOfReverse(name: string): string | undefined {
  if (name.endsWith(V4)) {
    const address = name.slice(0, -V4.length).split('.').reverse().join('.')
    return isIPv4(address) ? address : undefined
  }
  const digits = name.slice(0, -V6.length).split('.').reverse()
  if (digits.length !== 32 || digits.some(digit => !/^[0-9a-f]$/.test(digit))) return undefined
  const address = digits.join('').replace(/(....)(?=.)/g, '$1:')
  return isIPv6(address) ? canonical(address) : undefined
}
