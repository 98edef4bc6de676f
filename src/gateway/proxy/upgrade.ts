/** WebSockets (RFC 6455): the backend is asked, and what it agrees to is passed on byte for byte from then on. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '../../lib/clock.ts'
import { http } from '../../lib/http.ts'
import type { Backends, Endpoint } from '../backends/backends.ts'
import type { Target } from '../routing/route.ts'
import { refuse } from './answer.ts'
import { ATTEMPTS, mayRepeat, statusOfFailure, statusOfUnsent } from './attempt.ts'
import type { Connections } from './connections.ts'
import { endToEnd, toBackend } from './headers.ts'
import { watchOver } from './http1.ts'
import type { Inbound } from './inbound.ts'

/** Whether a request wants what is passed on: nothing else is, so that no protocol is spoken past the gateway. */
export const isWebSocket = ({ method, headers }: IncomingMessage): boolean =>
  method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket' && headers['content-length'] === undefined

/** An answer on a connection that Node has let go of. */
export function answerOn(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new http.ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket as Socket)
  response.on('finish', () => socket.end())
  return response
}

function head({ statusMessage, rawHeaders }: IncomingMessage): string {
  const headers = endToEnd(rawHeaders)
  const lines = [`HTTP/1.1 101 ${statusMessage}`, 'Connection: Upgrade', 'Upgrade: websocket']
  for (let at = 0; at < headers.length; at += 2) lines.push(`${headers[at]}: ${headers[at + 1]}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** Passes bytes both ways until both sides have ended; what breaks on one side breaks on the other. */
function join(client: Duplex, backend: Duplex) {
  client.on('error', () => backend.destroy())
  backend.on('error', () => client.destroy())
  client.on('close', () => backend.destroy())
  backend.on('close', () => client.destroy())
  client.pipe(backend)
  backend.pipe(client)
}

export interface UpgradeDeps {
  readonly backends: Backends
  readonly connections: Connections
  readonly clock: Clock
}

/** Carries a request for a WebSocket; resolves with the status of the answer. */
export function upgrade(
  request: IncomingMessage,
  socket: Duplex,
  early: Buffer,
  inbound: Inbound,
  target: Target,
  { backends, connections, clock }: UpgradeDeps,
): Promise<number> {
  const tried: Endpoint[] = []
  const headers = [...toBackend(inbound), 'Connection', 'Upgrade', 'Upgrade', 'websocket']
  return new Promise(resolve => {
    function fail(status: number) {
      if (!socket.destroyed) refuse(answerOn(request, socket), status)
      resolve(status)
    }
    function begin(endpoint: Endpoint) {
      try {
        return connections.request(endpoint, { method: 'GET', path: inbound.target, headers }, true)
      } catch {
        return undefined
      }
    }
    function attempt() {
      const endpoint = backends.pick(target, tried)
      if (!endpoint) return fail(503)
      tried.push(endpoint)
      const sent = begin(endpoint)
      if (!sent) return fail(statusOfUnsent(endpoint))
      const clientGone = () => sent.destroy()
      socket.once('close', clientGone)
      endpoint.inFlight++
      let begun = false
      let connected = false
      watchOver(sent, clock, () => (connected = true))
      sent.once('close', () => {
        socket.off('close', clientGone)
        if (!begun) endpoint.inFlight--
      })
      sent.on('upgrade', (answer, backend, first) => {
        begun = true
        backend.setTimeout(0)
        backend.once('close', () => endpoint.inFlight--)
        socket.write(head(answer))
        if (first.length) socket.write(first)
        if (early.length) backend.write(early)
        join(socket, backend)
        resolve(101)
      })
      // It wants none.
      sent.on('response', answer => {
        const response = answerOn(request, socket)
        response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.rawHeaders))
        answer.on('error', () => socket.destroy())
        answer.pipe(response)
        resolve(answer.statusCode ?? 502)
      })
      sent.on('error', ({ code }: NodeJS.ErrnoException) => {
        if (begun || socket.destroyed) return resolve(499)
        if (tried.length < ATTEMPTS && mayRepeat({ repeatable: true, connected, code })) return attempt()
        fail(statusOfFailure(code))
      })
      sent.end()
    }
    attempt()
  })
}
