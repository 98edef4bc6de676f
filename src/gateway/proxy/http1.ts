/** Requests to backends in HTTP/1.1. */
import type { ClientRequest } from 'node:http'
import type { Clock } from '../../lib/clock.ts'
import type { Connections } from './connections.ts'
import { endToEnd } from './headers.ts'
import { CONNECT_MS, type Send, tooLate } from './sending.ts'

/** Calls `connected` when the connection stands, and gives the request up where that, or an answer, takes too long. */
export function watchOver(request: ClientRequest, clock: Clock, connected: () => void): void {
  request.on('timeout', () => request.destroy(tooLate('the backend says nothing')))
  request.once('socket', socket => {
    if (!socket.connecting) return connected()
    const timer = clock.after(CONNECT_MS, () => request.destroy(tooLate('the backend does not take the connection')))
    socket.once('connect', () => {
      timer.cancel()
      connected()
    })
    socket.once('close', () => timer.cancel())
  })
}

/** Makes what sends over connections that are kept. */
export const sendHttp1 =
  (connections: Connections, clock: Clock): Send =>
  (endpoint, { method, path, headers, hasBody, fresh }, events) => {
    const request = connections.request(endpoint, { method, path, headers: headers as string[] }, fresh)
    request.once('close', events.closed)
    watchOver(request, clock, () => events.connected(request))
    if (!hasBody) request.end()
    request.on('error', events.failed)
    request.on('response', body => {
      request.setTimeout(0)
      events.answered({
        status: body.statusCode ?? 502,
        message: body.statusMessage ?? '',
        headers: endToEnd(body.rawHeaders),
        body,
        headOnly: false,
        trailers: () => (body.rawTrailers.length ? (body.trailers as Record<string, string>) : undefined),
      })
    })
    return request
  }
