/**
 * The networks that cluster IPs of one family come from: the cluster's own, and those of further ServiceCIDRs as long as
 * they are ready (KEP-1880).
 */
import type { ServiceCIDR } from '../../api/generated/types/networking-v1.ts'
import { isReady } from '../../api/kinds/core/ready.ts'
import { type Cidr, familyOf, formatAddress, formatCidr, parseAddress, parseCidr } from '../../lib/ip-range.ts'
import type { KindReader } from '../registry/registry.ts'
import { createPool, type Pool, staticSize } from './pool.ts'

/** Networks of cluster IPs where nothing was said. */
export const SERVICE_CIDR = '10.96.0.0/16'

/** The tenth address of a cluster's network is its DNS server. */
const DNS_OFFSET = 10

export interface AddressRangeDeps {
  /** The cluster's own network. */
  readonly cidr: Cidr
  /** Absent where ServiceCIDRs are not served. */
  readonly cidrs?: KindReader
  random(): number
}

/** Addresses of one family, as texts: a pool whose callers need no numbers. */
export interface AddressRanges {
  take(address: string, owner: string): 'taken' | 'held' | 'refused'
  takeNext(owner: string): string | undefined
  release(address: string, owner: string): void
  contains(address: string): boolean
}

const isUsable = (range: ServiceCIDR) => !range.metadata?.deletionTimestamp && isReady(range)

/** Makes the pool of all addresses of a family. What is of the other one is refused. */
export function addressRanges({ cidr, cidrs, random }: AddressRangeDeps): AddressRanges {
  const { family } = cidr
  const owners = new Map<bigint, string>()
  const pools = new Map<string, Pool<bigint>>()
  const number = (address: string) => parseAddress(family, address)

  /** Neither the network's own address nor the broadcast address, which IPv4 has, is given to a service. */
  function poolOf(network: Cidr, isOwn: boolean): Pool<bigint> {
    const first = network.base + 1n
    const size = network.size - (family === 'IPv4' ? 2 : 1)
    return createPool(
      {
        first,
        size,
        at: offset => first + BigInt(offset),
        staticSize: staticSize(network.size, 256),
        ...(isOwn && { reserved: new Set([first, network.base + BigInt(DNS_OFFSET)]) }),
      },
      random,
      owners,
    )
  }
  const own = poolOf(cidr, true)
  const ownText = formatCidr(cidr)

  /** Those of now, the cluster's own first. */
  function current(): Pool<bigint>[] {
    const others = (cidrs?.list() ?? [])
      .map(each => each.value as ServiceCIDR)
      .filter(isUsable)
      .flatMap(({ spec }) => spec?.cidrs ?? [])
      .filter(text => text !== ownText && familyOf(text) === family)
    for (const text of others) if (!pools.has(text)) pools.set(text, poolOf(parseCidr(text), false))
    return [own, ...others.map(text => pools.get(text)!)]
  }
  return {
    contains(address) {
      const wanted = number(address)
      return wanted !== undefined && (own.contains(wanted) || current().some(each => each.contains(wanted)))
    },
    take(address, owner) {
      const wanted = number(address)
      return wanted === undefined ? 'refused' : own.take(wanted, owner)
    },
    takeNext(owner) {
      for (const pool of current()) {
        const found = pool.takeNext(owner)
        if (found !== undefined) return formatAddress(family, found)
      }
      return undefined
    },
    release(address, owner) {
      const given = number(address)
      if (given !== undefined) own.release(given, owner)
    },
  }
}
