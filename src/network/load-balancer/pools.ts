/** Pools of addresses for services of type LoadBalancer. Pure. */
import { type Family, familyOf, formatAddress, parseAddress, parseCidr } from '../../lib/ip-range.ts'

interface Range {
  readonly family: Family
  readonly first: bigint
  readonly last: bigint
}

export interface AddressPool {
  readonly name: string
  readonly ranges: readonly Range[]
}

/** `192.168.1.240-192.168.1.250`, `192.168.1.240/28` (all of its addresses) or one address. Throws an Error. */
function rangeOf(text: string): Range {
  const wrong = () => new Error(`${JSON.stringify(text)} is no address, no range FIRST-LAST and no prefix`)
  if (text.includes('/')) {
    const { family, base, size } = parseCidr(text)
    return { family, first: base, last: base + BigInt(size) - 1n }
  }
  const [from = '', to = from] = text.split('-').map(each => each.trim())
  const family = familyOf(from)
  const [first, last] = family ? [parseAddress(family, from), parseAddress(family, to)] : []
  if (!family || first === undefined || last === undefined || last < first) throw wrong()
  return { family, first, last }
}

/** Reads a pool. Throws an Error that names what is wrong. */
export function parsePool(name: string, addresses: readonly string[]): AddressPool {
  if (!addresses.length) throw new Error(`the pool ${JSON.stringify(name)} has no addresses`)
  return { name, ranges: addresses.map(rangeOf) }
}

/** What a service asks for. */
export interface AddressWish {
  readonly family: Family
  /** The name of a pool; absent: any. */
  readonly pool?: string
  /** One address and no other. */
  readonly address?: string
}

const rangesFor = (pools: readonly AddressPool[], { family, pool }: AddressWish) =>
  pools
    .filter(({ name }) => pool === undefined || name === pool)
    .flatMap(({ ranges }) => ranges)
    .filter(range => range.family === family)

/** Whether an address is one that the service may have. */
export function isInPools(pools: readonly AddressPool[], wish: AddressWish, address: string): boolean {
  const number = parseAddress(wish.family, address)
  if (number === undefined || (wish.address !== undefined && wish.address !== address)) return false
  return rangesFor(pools, wish).some(({ first, last }) => first <= number && number <= last)
}

/** The first address that is free; undefined where there is none. */
export function freeAddress(
  pools: readonly AddressPool[],
  wish: AddressWish,
  isTaken: (address: string) => boolean,
): string | undefined {
  if (wish.address !== undefined)
    return isInPools(pools, wish, wish.address) && !isTaken(wish.address) ? wish.address : undefined
  for (const { family, first, last } of rangesFor(pools, wish))
    for (let number = first; number <= last; number++) {
      const address = formatAddress(family, number)
      if (!isTaken(address)) return address
    }
  return undefined
}
