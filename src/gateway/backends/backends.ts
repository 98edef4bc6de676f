/**
 * Chooses the endpoint of each request: by turns, but of two neighbours the one with fewer requests in flight. What is
 * looked up of a service is kept until the service changes.
 */
import type { Service } from '../../api/kinds/core/service.ts'
import type { Target } from '../routing/route.ts'
import { type Address, portOf, type ServiceSource } from './source.ts'

export interface Endpoint extends Address {
  /** A host outside the cluster, which a service names. */
  readonly external: boolean
  /** It speaks HTTP/2 without TLS and nothing else (KEP-3726, `kubernetes.io/h2c`). */
  readonly h2c: boolean
  /** Requests that it has not answered yet. The caller counts. */
  inFlight: number
}

export interface Backends {
  /** An endpoint for a request, another than those in `tried` where there is one; undefined: there is none. */
  pick(target: Target, tried: readonly Endpoint[]): Endpoint | undefined
  /** What is kept of all other targets is let go of. */
  retain(targets: readonly Target[]): void
  close(): void
}

interface Pool {
  readonly target: Target
  endpoints: readonly Endpoint[]
  turn: number
}

const H2C = 'kubernetes.io/h2c'

/** Where a target's requests go now. */
function lookUp(source: ServiceSource, { namespace, service: name, port }: Target): Omit<Endpoint, 'inFlight'>[] {
  const service: Service | undefined = source.service(`${namespace}/${name}`)
  if (!service) return []
  const found = portOf(service, port)
  const h2c = found?.appProtocol === H2C
  const { type, externalName } = service.spec ?? {}
  if (type === 'ExternalName') {
    // Its ports are only words: a number needs none.
    const number = found?.port ?? port
    return externalName && typeof number === 'number' ? [{ host: externalName, port: number, external: true, h2c }] : []
  }
  return found ? source.endpoints(service, found).map(each => ({ ...each, external: false, h2c })) : []
}

const isSame = (a: Omit<Endpoint, 'inFlight'>, b: Omit<Endpoint, 'inFlight'>) =>
  a.host === b.host && a.port === b.port && a.h2c === b.h2c

const idOf = ({ namespace, service, port }: Target) => JSON.stringify([namespace, service, port])

/** Makes it; `gone` is told of endpoints that get no new requests any more. */
export function createBackends(source: ServiceSource, gone: (endpoint: Endpoint) => void): Backends {
  /** By service, then by port. */
  const pools = new Map<string, Map<number | string, Pool>>()

  function refresh(pool: Pool) {
    const before = pool.endpoints
    pool.endpoints = lookUp(source, pool.target).map(
      each => before.find(old => isSame(old, each)) ?? { ...each, inFlight: 0 },
    )
    for (const each of before) if (!pool.endpoints.includes(each)) gone(each)
  }

  function poolOf(target: Target): Pool {
    const key = `${target.namespace}/${target.service}`
    let ports = pools.get(key)
    if (!ports) pools.set(key, (ports = new Map()))
    let pool = ports.get(target.port)
    if (!pool) {
      ports.set(target.port, (pool = { target, endpoints: [], turn: 0 }))
      refresh(pool)
    }
    return pool
  }

  const end = source.follow(key => {
    const ports = pools.get(key)
    if (!ports) return
    for (const pool of ports.values()) refresh(pool)
    if (!source.service(key)) pools.delete(key)
  })

  return {
    pick(target, tried) {
      const pool = poolOf(target)
      const fresh = tried.length ? pool.endpoints.filter(each => !tried.includes(each)) : pool.endpoints
      const among = fresh.length ? fresh : pool.endpoints
      const first = among[pool.turn++ % among.length]
      const second = among[pool.turn % among.length]
      return first && second && second.inFlight < first.inFlight ? second : first
    },
    retain(targets) {
      const kept = new Set(targets.map(idOf))
      for (const [key, ports] of pools) {
        for (const [port, pool] of ports) {
          if (kept.has(idOf(pool.target))) continue
          pool.endpoints.forEach(gone)
          ports.delete(port)
        }
        if (ports.size === 0) pools.delete(key)
      }
    },
    close() {
      end()
      pools.clear()
    },
  }
}
