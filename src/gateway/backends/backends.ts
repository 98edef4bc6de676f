/** Chooses the endpoint of each request: by turns, but of two neighbours the one with fewer requests in flight. */
import { idOfTarget, type Protocol, type Target } from '../routing/route.ts'

/** Where requests of a target may go, as plain data. */
export interface BackendAddress {
  /** An address, or, of a service that only names another host, that name. */
  readonly host: string
  readonly port: number
  /** A host outside the cluster, which a service names. */
  readonly external: boolean
  readonly protocol: Protocol
}

export interface Endpoint extends BackendAddress {
  /** Requests that it has not answered yet. The caller counts. */
  inFlight: number
}

export interface Backends {
  /** An endpoint for a request, another than those in `tried` where there is one; undefined: there is none. */
  pick(target: Target, tried: readonly Endpoint[]): Endpoint | undefined
  /** Sets where requests for a target go, by `idOfTarget`; undefined: there are none any more. */
  set(id: string, addresses: readonly BackendAddress[] | undefined): void
  close(): void
}

interface Pool {
  endpoints: readonly Endpoint[]
  turn: number
}

const isSame = (a: BackendAddress, b: BackendAddress) =>
  a.host === b.host && a.port === b.port && a.protocol === b.protocol && a.external === b.external

/** Makes it; `gone` is told of endpoints that get no new requests any more. */
export function createBackends(gone: (endpoint: Endpoint) => void): Backends {
  const pools = new Map<string, Pool>()
  return {
    pick(target, tried) {
      const pool = pools.get(idOfTarget(target))
      if (!pool) return undefined
      const fresh = tried.length ? pool.endpoints.filter(each => !tried.includes(each)) : pool.endpoints
      const among = fresh.length ? fresh : pool.endpoints
      const first = among[pool.turn++ % among.length]
      const second = among[pool.turn % among.length]
      return first && second && second.inFlight < first.inFlight ? second : first
    },
    set(id, addresses) {
      const before = pools.get(id)?.endpoints ?? []
      const endpoints = (addresses ?? []).map(each => before.find(old => isSame(old, each)) ?? { ...each, inFlight: 0 })
      if (addresses) pools.set(id, { endpoints, turn: pools.get(id)?.turn ?? 0 })
      else pools.delete(id)
      for (const each of before) if (!endpoints.includes(each)) gone(each)
    },
    close: () => pools.clear(),
  }
}
