/**
 * What carries requests, put together: two ports, a table of routes, connections to backends. Whoever knows routes and
 * certificates gives them to it.
 */
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/log.ts'
import { createBackends } from './backends/backends.ts'
import type { ServiceSource } from './backends/source.ts'
import type { GatewayMetrics } from './metrics.ts'
import { openConnections } from './proxy/connections.ts'
import { sendHttp1 } from './proxy/http1.ts'
import { openHttp2Backends } from './proxy/http2.ts'
import { createRouter } from './proxy/router.ts'
import type { Route } from './routing/route.ts'
import { createTable } from './routing/table.ts'
import { createPort, type Listen, type Port, type PortWish } from './server/ports.ts'
import { createServer, type ShownCertificates } from './server/server.ts'

export interface DataPlaneDeps {
  readonly services: ServiceSource
  readonly listen: Listen
  readonly ports: { readonly http: PortWish; readonly https: PortWish }
  readonly certificates: ShownCertificates
  readonly metrics: GatewayMetrics
  readonly clock: Clock
  readonly logger: Logger
}

export interface DataPlane {
  readonly plain: Port
  readonly secure: Port
  /** From now on requests go along these. Of routes for the same, the first counts. */
  route(routes: readonly Route[]): void
  /** What is shown to who names no host may be another one. */
  fallbackChanged(): void
  /** Gives the ports back, and ends when what is under way has, or after `graceMs`. */
  close(graceMs: number): Promise<void>
}

/** Makes it, with no route and no port taken. */
export function openDataPlane(deps: DataPlaneDeps): DataPlane {
  const { services, listen, ports, certificates, metrics, clock, logger } = deps
  const connections = openConnections()
  const http2 = openHttp2Backends(clock)
  const backends = createBackends(services, endpoint => {
    connections.drop(endpoint)
    http2.drop(endpoint)
  })
  let table = createTable([])
  const router = createRouter({
    ...{ backends, connections, metrics, clock },
    http1: sendHttp1(connections, clock),
    http2: http2.send,
    table: () => table,
    securePort: () => (secure.isOpen() ? secure.number() : undefined),
  })
  const server = createServer({ router, certificates, clock, logger })
  const plain = createPort(ports.http, listen, server.plain)
  const secure = createPort(ports.https, listen, server.secure)
  return {
    plain,
    secure,
    fallbackChanged: server.fallbackChanged,
    route(routes) {
      table = createTable(routes)
      backends.retain(routes.flatMap(({ target }) => target ?? []))
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
