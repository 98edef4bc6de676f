/**
 * The gateway's side of its clients' connections: HTTP/1.1, and with TLS HTTP/2 (by ALPN). Connections are handed in, so
 * that it does not matter who listens. What TLS and HTTP/2 need is loaded with the first connection of theirs.
 */
import type { Server } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { type Clock, sleep } from '../../lib/clock.ts'
import { http } from '../../lib/http.ts'
import type { Logger } from '../../lib/log.ts'
import type { KeyPair } from '../../lib/pki/certificate.ts'
import { TLS_OPTIONS, takeHttp2 } from '../../lib/tls-port.ts'
import type { ClientResponse } from '../proxy/inbound.ts'
import type { Router } from '../proxy/router.ts'
import { isWebSocket } from '../proxy/upgrade.ts'
import type { openHttp2 } from './http2.ts'
import type { ShownCertificates } from './shown.ts'

export interface ServerDeps {
  readonly router: Router
  readonly certificates: ShownCertificates
  readonly clock: Clock
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

/** Connections at a time, of both kinds together; more are closed again. */
const MOST_CONNECTIONS = 8192
/** Bytes of a request's head. */
const HEAD_BYTES = 16_384
const HEAD_COUNT = 100
/** A connection that says nothing is cut after this time, and a head that is not complete is given up, in ms. */
const HEAD_MS = 30_000
/** How often heads are looked at, while there are connections. */
const LOOK_MS = 15_000
const IDLE_MS = 75_000
/** Streams of one HTTP/2 connection at a time. */
const STREAMS = 250

/** Bodies may take as long as they move: what stalls ends on the backend's side. */
const HTTP_OPTIONS = {
  keepAliveTimeout: IDLE_MS,
  headersTimeout: HEAD_MS,
  requestTimeout: 0,
  maxHeaderSize: HEAD_BYTES,
  connectionsCheckingInterval: LOOK_MS,
  noDelay: true,
  shouldUpgradeCallback: isWebSocket,
}

/** Makes the server, which listens nowhere. While there is no connection nothing of it runs. */
export function createServer(deps: ServerDeps): GatewayServer {
  const { router, certificates, clock, logger } = deps
  const sockets = new Set<Socket>()
  const upgraded = new Set<Duplex>()
  let closing = false
  let plain: Server | undefined
  let tls: Promise<HttpsServer> | undefined
  /** The fallback that `tls` has. */
  let shown: KeyPair | undefined
  let http2: Promise<ReturnType<typeof openHttp2>> | undefined
  let whenEmpty: (() => void) | undefined

  /** Ends what watches over connections. */
  function rest() {
    plain?.close()
    plain = undefined
    tls?.then(
      server => server.close(),
      () => {},
    )
    tls = undefined
    whenEmpty?.()
  }

  /** Whether a connection may stay; it is counted until it closes. */
  function admit(socket: Socket): boolean {
    socket.on('error', () => {})
    if (closing || sockets.size >= MOST_CONNECTIONS) {
      socket.destroy()
      return false
    }
    sockets.add(socket)
    // Node looks after those that have begun to speak.
    const silence = clock.after(HEAD_MS, () => socket.bytesRead === 0 && socket.destroy())
    socket.once('close', () => {
      silence.cancel()
      sockets.delete(socket)
      if (sockets.size === 0) rest()
    })
    return true
  }

  function serve<T extends Server | HttpsServer>(server: T, secure: boolean): T {
    server.maxHeadersCount = HEAD_COUNT
    server.on('request', (request, response) => {
      // Nothing more comes on a connection that was under way when the end began.
      response.once('close', () => closing && request.socket.destroySoon())
      router.request(request, response, secure)
    })
    server.on('upgrade', (request, socket, early) => {
      upgraded.add(socket)
      socket.once('close', () => upgraded.delete(socket))
      if (closing) socket.destroy()
      else router.upgrade(request, socket, early, secure)
    })
    // It begins to watch over connections, although others listen for it.
    server.emit('listening')
    return server
  }

  async function beginHttp2(socket: TLSSocket) {
    http2 ??= import('./http2.ts').then(({ openHttp2 }) => {
      const opened = openHttp2({ streams: STREAMS, headBytes: HEAD_BYTES, idleMs: IDLE_MS })
      opened.server.on('request', (request, response) =>
        router.request(request, response as unknown as ClientResponse, true),
      )
      return opened
    })
    const { server } = await http2
    server.emit('connection', socket)
  }

  async function openTls(): Promise<HttpsServer> {
    const [{ createServer }, pair] = await Promise.all([import('node:https'), certificates.fallback()])
    shown = pair
    const server = serve(
      createServer({
        ...HTTP_OPTIONS,
        ...TLS_OPTIONS,
        ...{ cert: pair.certificate, key: pair.key },
        SNICallback: (host, done) => done(null, certificates.contextFor(host)),
      }),
      true,
    )
    takeHttp2(server, socket => void beginHttp2(socket))
    server.on('tlsClientError', error => logger.debug({ err: error }, 'gateway: a TLS handshake failed'))
    return server
  }

  return {
    plain(socket) {
      if (!admit(socket)) return
      plain ??= serve(http.createServer(HTTP_OPTIONS), false)
      plain.emit('connection', socket)
    },
    secure(socket) {
      if (!admit(socket)) return
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
        // It is asked after each change of any Ingress.
        if (pair === shown) return
        shown = pair
        server?.setSecureContext({ ...TLS_OPTIONS, cert: pair.certificate, key: pair.key })
      }
      // What keeps it from being made is told of with the next connection.
      if (tls) change().catch(() => {})
    },
    async close(graceMs) {
      closing = true
      const sessions = (await http2)?.sessions ?? new Set()
      for (const server of [plain, await tls?.catch(() => undefined)]) server?.closeIdleConnections()
      for (const session of sessions) session.close()
      for (const socket of upgraded) socket.destroy()
      const waited = new AbortController()
      const empty = new Promise<void>(resolve => {
        whenEmpty = resolve
        if (sockets.size === 0) resolve()
      })
      await Promise.race([empty, sleep(clock, graceMs, waited.signal)])
      waited.abort()
      for (const session of sessions) session.destroy()
      for (const socket of sockets) socket.destroy()
    },
  }
}
