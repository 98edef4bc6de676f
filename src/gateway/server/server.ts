/**
 * The gateway's side of its clients' connections: HTTP/1.1, and with TLS HTTP/2 (by ALPN). Connections are handed in, so
 * that it does not matter who listens. What TLS and HTTP/2 need is loaded with the first connection of theirs.
 */
import type { Socket } from 'node:net'
import type { TLSSocket, Server as TlsServer } from 'node:tls'
import { type Clock, within } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { KeyPair } from '../../lib/pki/certificate.ts'
import { TLS_OPTIONS } from '../../lib/tls-port.ts'
import type { Deadlines } from '../deadlines.ts'
import { lastAnswer } from '../proxy/answer.ts'
import type { Router } from '../proxy/router.ts'
import { Http1Connection } from './http1-connection.ts'
import type { openHttp2 } from './http2.ts'
import type { ShownCertificates } from './shown.ts'

export interface ServerDeps {
  readonly router: Router
  readonly certificates: ShownCertificates
  readonly clock: Clock
  readonly deadlines: Deadlines
  readonly logger: Logger
}

export interface GatewayServer {
  /** Takes a connection without TLS. */
  plain(socket: Socket): void
  /** Takes one that begins with TLS. */
  secure(socket: Socket): void
  /** The fallback may be another one. */
  fallbackChanged(): void
  /** Lets requests under way end, for `graceMs` at most, then cuts what is left. WebSockets are cut at once. */
  close(graceMs: number): Promise<void>
}

/** Connections at a time, of both kinds together; more are sent away. */
const MOST_CONNECTIONS = 8192

const SENT_AWAY = lastAnswer(503, 'there are too many connections', ['Retry-After', '1'])

/** Makes the server, which listens nowhere. While there is no connection nothing of it runs. */
export function createServer(deps: ServerDeps): GatewayServer {
  const { router, certificates, clock, deadlines, logger } = deps
  const sockets = new Set<Socket>()
  const open = new Set<Http1Connection>()
  let closing = false
  /** It stays, with what lets clients resume their sessions. */
  let tls: Promise<TlsServer> | undefined
  /** The fallback that `tls` has. */
  let shown: KeyPair | undefined
  let http2: Promise<ReturnType<typeof openHttp2>> | undefined
  let whenEmpty: (() => void) | undefined

  /** Whether a connection may stay; it is counted until it closes. */
  function admit(socket: Socket): boolean {
    socket.on('error', () => {})
    if (closing || sockets.size >= MOST_CONNECTIONS) return false
    sockets.add(socket)
    socket.once('close', () => {
      sockets.delete(socket)
      if (sockets.size === 0) whenEmpty?.()
    })
    return true
  }

  function beginHttp1(socket: Socket, secure: boolean) {
    const connection = new Http1Connection(socket, { router, clock, deadlines, secure, closing: () => closing })
    open.add(connection)
    socket.once('close', () => open.delete(connection))
  }

  async function beginHttp2(socket: TLSSocket) {
    // It knows no half of a connection: where the client's ends, its requests have.
    socket.allowHalfOpen = false
    http2 ??= import('./http2.ts').then(({ openHttp2 }) => openHttp2(router, { clock, deadlines }))
    const { server } = await http2
    server.emit('connection', socket)
  }

  async function openTls(): Promise<TlsServer> {
    const [{ createServer }, pair] = await Promise.all([import('node:tls'), certificates.fallback()])
    shown = pair
    const server = createServer({
      ...TLS_OPTIONS,
      ...{ cert: pair.certificate, key: pair.key },
      SNICallback: (host, done) => done(null, certificates.contextFor(host)),
    })
    server.on('secureConnection', socket => {
      socket.on('error', () => {})
      if (socket.alpnProtocol === 'h2') void beginHttp2(socket)
      else beginHttp1(socket, true)
    })
    server.on('tlsClientError', error => logger.debug({ err: error }, 'gateway: a TLS handshake failed'))
    return server
  }

  return {
    plain(socket) {
      if (admit(socket)) return beginHttp1(socket, false)
      socket.end(SENT_AWAY)
      return void socket.on('finish', () => socket.destroySoon())
    },
    secure(socket) {
      if (!admit(socket)) return void socket.destroy()
      tls ??= openTls()
      tls.then(
        server => server.emit('connection', socket),
        error => {
          tls = undefined
          logger.error({ err: error }, 'gateway: TLS cannot be served')
          socket.destroy()
        },
      )
    },
    fallbackChanged() {
      const change = async () => {
        const [server, pair] = await Promise.all([tls, certificates.fallback()])
        if (!server || pair === shown) return
        shown = pair
        // Sessions go on: their keys do not come from the certificate.
        const ticketKeys = server.getTicketKeys()
        server.setSecureContext({ ...TLS_OPTIONS, cert: pair.certificate, key: pair.key })
        server.setTicketKeys(ticketKeys)
      }
      // What keeps it from being made is told of with the next connection.
      if (tls) change().catch(() => {})
    },
    async close(graceMs) {
      closing = true
      const sessions = (await http2)?.sessions ?? new Set()
      for (const connection of open) connection.wind()
      for (const session of sessions) session.close()
      const empty = new Promise<void>(resolve => {
        whenEmpty = resolve
        if (sockets.size === 0) resolve()
      })
      await within(clock, graceMs, empty)
      for (const session of sessions) session.destroy()
      for (const socket of sockets) socket.destroy()
    },
  }
}
