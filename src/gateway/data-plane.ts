/**
 * What carries requests, put together: two ports, a table of routes, connections to backends. Whoever knows routes,
 * endpoints and certificates gives them to it, as plain data: it may run in another thread (`thread/`).
 */
import type { Clock } from '../lib/clock.ts'
import { parseCidr } from '../lib/ip-range.ts'
import type { Logger } from '../lib/log.ts'
import type { KeyPair } from '../lib/pki/certificate.ts'
import { type BackendAddress, createBackends } from './backends/backends.ts'
import { createDeadlines } from './deadlines.ts'
import type { Entries } from './entries.ts'
import type { GatewayMetrics } from './metrics.ts'
import { openConnections } from './proxy/connections.ts'
import { openHttp2Backends } from './proxy/http2.ts'
import { originOf } from './proxy/origin.ts'
import { createRouter } from './proxy/router.ts'
import type { Route } from './routing/route.ts'
import { createTable } from './routing/table.ts'
import { createPort, type Listen, type Port, type PortWish } from './server/ports.ts'
import { createServer } from './server/server.ts'
import { createShown } from './server/shown.ts'

/** What has changed. */
export interface Delta {
  /** By what they match (`keyOfRoute`). */
  readonly routes?: Entries<Route>
  /** Where the requests for a target go now, by `idOfTarget`. */
  readonly endpoints?: Entries<readonly BackendAddress[]>
  /** What hosts show; '' stands for all that have nothing of their own. */
  readonly certificates?: Entries<KeyPair>
}

export interface DataPlaneDeps {
  readonly listen: Listen
  readonly ports: { readonly http: PortWish; readonly https: PortWish }
  /** Ranges of addresses of proxies that are believed what they say of their clients. */
  readonly trustedProxies: readonly string[]
  readonly metrics: GatewayMetrics
  readonly clock: Clock
  readonly logger: Logger
}

export interface DataPlane {
  readonly plain: Port
  readonly secure: Port
  /** From now on requests go by this, too. */
  apply(delta: Delta): void
  /** Gives the ports back, and ends when what is under way has, or after `graceMs`. */
  close(graceMs: number): Promise<void>
}

/** What a data plane tells whoever leads it. */
export interface DataPlaneEvents {
  /** Its ports have changed by themselves. */
  changed(): void
  /** It failed and is started anew; its ports are gone until `changed`. */
  failed(why: string): void
}

/** Makes it in this thread, with no route and no port taken. */
export function openDataPlane(deps: DataPlaneDeps): DataPlane {
  const { listen, ports, trustedProxies, metrics, clock, logger } = deps
  const deadlines = createDeadlines(clock)
  const connections = openConnections({ clock, deadlines })
  const http2 = openHttp2Backends(clock)
  const backends = createBackends(endpoint => {
    connections.drop(endpoint)
    http2.drop(endpoint)
  })
  const table = createTable()
  const shown = createShown(clock)
  const router = createRouter({
    ...{ backends, metrics, clock, table },
    originOf: originOf(trustedProxies.map(parseCidr)),
    http1: connections.send,
    http2: http2.send,
    securePort: () => (secure.isOpen() ? secure.number() : undefined),
  })
  const server = createServer({ router, certificates: shown, clock, deadlines, logger })
  const plain = createPort(ports.http, listen, server.plain)
  const secure = createPort(ports.https, listen, server.secure)
  return {
    plain,
    secure,
    apply({ routes = [], endpoints = [], certificates = [] }) {
      for (const [key, route] of routes) table.set(key, route)
      for (const [id, addresses] of endpoints) backends.set(id, addresses)
      shown.use(certificates)
      if (certificates.some(([host]) => host === '')) server.fallbackChanged()
    },
    async close(graceMs) {
      plain.close()
      secure.close()
      await server.close(graceMs)
      backends.close()
      connections.close()
      http2.close()
    },
  }
}
