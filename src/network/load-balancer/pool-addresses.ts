/** Gives services of type LoadBalancer addresses of pools. Who has one follows from the services' own statuses. */
import type { Service } from '../../api/generated/types/core-v1.ts'
import { keyOf, type ObjectKey } from '../../client/informer-types.ts'
import { type Family, familyOf } from '../../lib/ip-range.ts'
import type { Catalog } from '../catalog.ts'
import { isBalanced } from './balanced.ts'
import { type AddressPool, type AddressWish, freeAddress, isInPools } from './pools.ts'

/** By which a service names the pool that its addresses are to be of. */
const POOL_ANNOTATION = 'tutti.dev/address-pool'

export interface Assignment {
  /** One a family, as far as there are any. */
  readonly ips: readonly string[]
  /** Sentences: which family has none, and why. */
  readonly missing: readonly string[]
  /** One that it had is free for others. */
  readonly freed: boolean
}

export interface PoolAddresses {
  /** The addresses of a service: those that it has, as long as it may have them, and new ones. */
  assign(service: Service): Assignment
  /** The service is gone, or not of that type any more. Whether it had one. */
  release(key: ObjectKey): boolean
}

function wishOf({ metadata, spec }: Service, family: Family): AddressWish {
  const pool = metadata?.annotations?.[POOL_ANNOTATION]
  const address = spec?.loadBalancerIP
  return { family, ...(pool && { pool }), ...(address && familyOf(address) === family && { address }) }
}

/** Begins with what statuses say now, so that no service loses its address to a start. */
export function poolAddresses(pools: readonly AddressPool[], catalog: Catalog): PoolAddresses {
  const owners = new Map<string, ObjectKey>()
  const addressesIn = ({ status }: Service) => (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? [])
  for (const service of catalog.services())
    if (isBalanced(service)) for (const ip of addressesIn(service)) if (!owners.has(ip)) owners.set(ip, keyOf(service))

  function why({ pool, address, family }: AddressWish): string {
    const owner = address && owners.get(address)
    if (owner) return `the address ${address} is that of the service ${owner}`
    if (address) return `the address ${address} is in no pool${pool ? ` ${JSON.stringify(pool)}` : ''}`
    const named = pools.some(({ name }) => name === pool)
    if (pool && !named) return `there is no pool ${JSON.stringify(pool)}`
    return `no address of ${family} is free in ${pool ? `the pool ${JSON.stringify(pool)}` : 'the pools'}`
  }

  function give(owner: ObjectKey, service: Service, wish: AddressWish): string | undefined {
    const kept = addressesIn(service).find(ip => owners.get(ip) === owner && isInPools(pools, wish, ip))
    const held = kept ?? [...owners].find(([ip, each]) => each === owner && isInPools(pools, wish, ip))?.[0]
    return held ?? freeAddress(pools, wish, ip => owners.has(ip))
  }

  function release(key: ObjectKey, keep: readonly string[] = []): boolean {
    let any = false
    for (const [ip, owner] of owners) if (owner === key && !keep.includes(ip)) any = owners.delete(ip) || any
    return any
  }
  return {
    assign(service) {
      const owner = keyOf(service)
      const wishes = (service.spec?.ipFamilies ?? ['IPv4']).map(family => wishOf(service, family as Family))
      const missing: string[] = []
      const ips = wishes.flatMap(wish => {
        const ip = give(owner, service, wish)
        if (ip === undefined) missing.push(why(wish))
        else owners.set(ip, owner)
        return ip ?? []
      })
      return { ips, missing, freed: release(owner, ips) }
    },
    release: key => release(key),
  }
}
