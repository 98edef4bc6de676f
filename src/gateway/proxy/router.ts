/** What becomes of each request: refused, sent to where there is TLS, or carried to a backend. */
import type { Clock } from '../../lib/clock.ts'
import type { GatewayMetrics } from '../metrics.ts'
import type { Table } from '../routing/table.ts'
import { redirect, refuse } from './answer.ts'
import { type ExchangeDeps, exchange } from './exchange.ts'
import type { OriginOf } from './origin.ts'
import type { Visit } from './visit.ts'

export interface RouterDeps extends ExchangeDeps {
  readonly table: Table
  /** Where clients find TLS; undefined: nowhere, and nobody is sent there. */
  securePort(): number | undefined
  /** Who asks, and how. */
  readonly originOf: OriginOf
  readonly metrics: GatewayMetrics
  readonly clock: Clock
}

/** Sees to it that a request is answered. */
export type Router = (visit: Visit) => void

/** A client broke off: no status that anybody sees (nginx' own). */
const CLIENT_GONE = 499

/** By which certificates are got, over HTTP alone (RFC 8555, 8.3): it works where TLS does not yet. */
const ACME = '/.well-known/acme-challenge/'

/** Makes the router. */
export function createRouter(deps: RouterDeps): Router {
  const { clock, metrics, table, securePort, originOf } = deps
  return visit => {
    const start = clock.elapsed()
    const { host, path, method } = visit.inbound
    const route = host === undefined || path === undefined ? undefined : table.find(host, path)
    visit.events.closed = () =>
      metrics.answered(route?.owner, method, visit.status ?? CLIENT_GONE, clock.elapsed() - start)
    if (host === undefined || path === undefined) return refuse(visit, 400)
    if (!route) return refuse(visit, 404)
    const origin = originOf(visit.inbound)
    const port = route.redirect && !origin.secure && !path.startsWith(ACME) ? securePort() : undefined
    if (port !== undefined) return redirect(visit, port)
    if (!route.target) return refuse(visit, 503)
    return exchange(visit, { target: route.target, bodyBytes: route.bodyBytes, origin }, deps)
  }
}
