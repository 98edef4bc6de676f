/** What becomes of each request: refused, sent to where there is TLS, or carried to a backend. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { GatewayMetrics } from '../metrics.ts'
import type { Route } from '../routing/route.ts'
import type { Table } from '../routing/table.ts'
import { redirect, refuse } from './answer.ts'
import { type ExchangeDeps, exchange } from './exchange.ts'
import { type ClientRequest, type ClientResponse, type Inbound, readInbound } from './inbound.ts'
import { answerOn, type UpgradeDeps, upgrade } from './upgrade.ts'

export interface RouterDeps extends ExchangeDeps, UpgradeDeps {
  readonly table: Table
  /** Where clients find TLS; undefined: nowhere, and nobody is sent there. */
  securePort(): number | undefined
  readonly metrics: GatewayMetrics
}

export interface Router {
  request(request: ClientRequest, response: ClientResponse, secure: boolean): void
  /** A request for a WebSocket: its socket is the caller's no more. */
  upgrade(request: IncomingMessage, socket: Duplex, early: Buffer, secure: boolean): void
}

/** A client broke off: no status that anybody sees (nginx' own). */
const CLIENT_GONE = 499

/** Makes the router. */
export function createRouter(deps: RouterDeps): Router {
  const { clock, metrics } = deps

  const routeOf = (inbound: Inbound | undefined): Route | undefined =>
    inbound && deps.table.find(inbound.host, inbound.path)

  /** Answers what no backend has to answer; true where it did. */
  function answerHere(response: ClientResponse, inbound: Inbound | undefined, route: Route | undefined): boolean {
    const closing = inbound?.body !== 'none'
    const port = route?.redirect && !inbound?.secure ? deps.securePort() : undefined
    if (!inbound) refuse(response, 400, { closing })
    else if (!route) refuse(response, 404, { closing })
    else if (port !== undefined) redirect(response, inbound, port)
    else if (!route.target) refuse(response, 503, { closing })
    else return false
    return true
  }

  return {
    request(request, response, secure) {
      const start = clock.elapsed()
      const inbound = readInbound(request, secure)
      const route = routeOf(inbound)
      response.on('close', () => {
        const status = response.headersSent ? response.statusCode : CLIENT_GONE
        metrics.answered(route?.owner, request.method ?? '', status, clock.elapsed() - start)
      })
      if (!answerHere(response, inbound, route)) exchange(request, response, inbound!, route!.target!, deps)
    },
    async upgrade(request, socket, early, secure) {
      const start = clock.elapsed()
      socket.on('error', () => {})
      const inbound = readInbound(request, secure)
      const route = routeOf(inbound)
      const counted = (status: number) => metrics.answered(route?.owner, 'GET', status, clock.elapsed() - start)
      if (inbound && route?.target && (secure || !route.redirect || deps.securePort() === undefined))
        return counted(await upgrade(request, socket, early, inbound, route.target, deps))
      const response = answerOn(request, socket)
      answerHere(response, inbound, route)
      counted(response.statusCode)
    },
  }
}
