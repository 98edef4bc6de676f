/**
 * The networks that cluster IPs come from: the cluster's own, and those of further ServiceCIDRs as long as they are
 * ready (KEP-1880).
 */
import type { ServiceCIDR } from '../../api/generated/types/networking-v1.ts'
import { isReady } from '../../api/kinds/core/ready.ts'
import { type Cidr, parseCidr } from '../../lib/ipv4.ts'
import type { KindReader } from '../registry/registry.ts'
import { createPool, type Pool, staticSize } from './pool.ts'

/** The tenth address of a cluster's network is its DNS server. */
const DNS_OFFSET = 10

export interface AddressRangeDeps {
  /** The cluster's own network. */
  readonly cidr: string
  /** Absent where ServiceCIDRs are not served. */
  readonly cidrs?: KindReader
  random(): number
}

const isUsable = (range: ServiceCIDR) => !range.metadata?.deletionTimestamp && isReady(range)

function ipv4(text: string): Cidr | undefined {
  try {
    return parseCidr(text)
  } catch {
    // The other family is not one that services have here.
    return undefined
  }
}

/** Makes the pool of all addresses. `own` is the size of the cluster's own network, for metrics. */
export function addressRanges({ cidr, cidrs, random }: AddressRangeDeps): Pool {
  const owners = new Map<number, string>()
  const pools = new Map<string, Pool>()

  /** Neither the network's own address nor its broadcast address is given to a service. */
  function poolOf(text: string): Pool | undefined {
    const known = pools.get(text)
    if (known) return known
    const network = ipv4(text)
    if (!network) return undefined
    const first = network.base + 1
    const range = {
      first,
      last: network.base + network.size - 2,
      staticSize: staticSize(network.size - 2, 256),
      ...(text === cidr && { reserved: new Set([first, network.base + DNS_OFFSET]) }),
    }
    const made = createPool(range, random, owners)
    pools.set(text, made)
    return made
  }
  const own = poolOf(cidr)
  if (!own) throw new Error(`${cidr} is no IPv4 network`)

  /** Those of now, the cluster's own first. */
  function current(): Pool[] {
    const others = (cidrs?.list() ?? [])
      .map(each => each.value as ServiceCIDR)
      .filter(isUsable)
      .flatMap(({ spec }) => spec?.cidrs ?? [])
      .filter(text => text !== cidr)
    return [own!, ...others.map(poolOf).filter(each => each !== undefined)]
  }
  return {
    contains: number => own.contains(number) || current().some(each => each.contains(number)),
    take: own.take,
    takeNext(owner) {
      for (const pool of current()) {
        const number = pool.takeNext(owner)
        if (number !== undefined) return number
      }
      return undefined
    },
    release: own.release,
  }
}
