/**
 * One TLS port for HTTP/1.1 and HTTP/2 (by ALPN), with optional client certificates, and connection upgrades
 * (HTTP/1.1) for the streams of exec, attach and port-forward.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { badRequest } from '../../api/machinery/status-error.ts'
import { type Clock, within } from '../../lib/clock.ts'
import { createSession, type Session } from '../../lib/http2/session.ts'
import type { ServerStream } from '../../lib/http2/stream.ts'
import { unmapped } from '../../lib/ip-address.ts'
import { lingerAtEnd } from '../../lib/linger.ts'
import type { Logger } from '../../lib/log.ts'
import { refuseUpgrade } from '../../lib/refuse-upgrade.ts'
import { TLS_OPTIONS, takeHttp2 } from '../../lib/tls-port.ts'
import type { ClientCertificate } from '../authentication/authenticator.ts'
import type { RequestMetrics } from '../metrics/requests.ts'
import type { Answer, Handler } from '../request.ts'
import type { Listening, ListenOptions } from '../server.ts'
import { chunkPool } from './chunk-pool.ts'
import { type HttpRequest, http1Body, incomingRequest } from './incoming.ts'
import { Http2Sink, http1Sink, type Sink } from './sink.ts'
import { writeAnswer } from './write-answer.ts'
import { watchLines } from './write-watch.ts'

export interface HttpsServerDeps {
  readonly handler: Handler
  readonly logger: Logger
  readonly clock: Clock
  /** Told of what has been sent. */
  readonly observer?: WireObserver
}

/** What counts the answers on their way. */
export type WireObserver = Pick<RequestMetrics, 'ended' | 'watched'>

/** A connection that says nothing is cut once no stream is open, in ms, as upstream. */
const IDLE = 90_000

const LOOPBACK = /^(::1|127\.|::ffff:127\.)/

/** What is the same for all requests of a connection. */
interface Connection {
  readonly certificate: ClientCertificate | undefined
  readonly loopback: boolean
  readonly remoteAddress: string | undefined
}

/** The certificate that the client showed, with what TLS thinks of it. */
function certificateOf(socket: TLSSocket): ClientCertificate | undefined {
  const shown = socket.getPeerCertificate(true)
  if (!shown.raw?.length) return undefined
  if (!socket.authorized) return { raw: shown.raw, problem: String(socket.authorizationError) }
  let root = shown
  while (root.issuerCertificate && root.issuerCertificate !== root) root = root.issuerCertificate
  return { raw: shown.raw, authority: root.fingerprint256 }
}

const connectionOf = (socket: TLSSocket): Connection => ({
  certificate: certificateOf(socket),
  loopback: LOOPBACK.test(socket.remoteAddress ?? ''),
  remoteAddress: socket.remoteAddress && unmapped(socket.remoteAddress),
})

/** Makes the text of a `Date` header; once a second. */
function dateHeader(now: () => number): () => string {
  let second = Number.NaN
  let text = ''
  return () => {
    const current = Math.floor(now() / 1000)
    if (current !== second) {
      second = current
      text = new Date(current * 1000).toUTCString()
    }
    return text
  }
}

/** The body of an answer to an upgrade request that was refused. */
function refusalText(answer: Answer): string {
  const value = answer.type === 'value' ? answer.value : answer.type === 'object' ? answer.object.value : {}
  return `${JSON.stringify(value)}\n`
}

/** What all addresses of a server share: the way of a request, and what is open. */
function createConversation({ handler, logger, observer, clock }: HttpsServerDeps) {
  const shared = { observer, lines: watchLines(), pool: chunkPool() }
  const open = new Set<HttpRequest>()
  const connections = new WeakMap<object, Connection>()

  async function answerTo(sink: Sink, request: HttpRequest): Promise<void> {
    open.add(request)
    try {
      const answer = await handler(request)
      if (answer.type === 'upgrade') throw new Error(`${request.path} wants an upgrade, which this request is not`)
      const writing = writeAnswer(sink, request, answer, shared)
      if (writing) await writing
    } catch (error) {
      logger.error({ err: error, method: request.method, path: request.path }, 'an answer broke off')
      // Not ended: a client must not take the half for the whole.
      sink.cut()
    } finally {
      open.delete(request)
      request.written?.()
      observer?.ended(request, sink.sent)
    }
  }

  function malformed(sink: Sink) {
    const { status } = badRequest('the path of the request cannot be decoded')
    sink.head(400, { 'content-type': 'application/json' })
    sink.end(`${JSON.stringify(status)}\n`)
  }

  function known(socket: TLSSocket): Connection {
    let connection = connections.get(socket)
    if (!connection) connections.set(socket, (connection = connectionOf(socket)))
    return connection
  }

  const date = dateHeader(clock.now)

  function onStream(stream: ServerStream, connection: Connection) {
    const { headers, rawHeaders } = stream
    const method = headers[':method'] as string
    const sink = new Http2Sink(stream, method === 'HEAD', date)
    try {
      const body = stream.remoteEnded ? undefined : stream
      const url = headers[':path'] as string
      const { certificate, loopback, remoteAddress } = connection
      const request = incomingRequest({ method, url, headers, rawHeaders, body, certificate, loopback, remoteAddress })
      if (request.body.type === 'none') stream.discard()
      stream.onClose = () => request.gone()
      void answerTo(sink, request)
    } catch {
      malformed(sink)
    }
  }

  function onRequest(message: IncomingMessage, response: ServerResponse) {
    const sink = http1Sink(response)
    try {
      const { method = 'GET', url = '/', headers, rawHeaders } = message
      const connection = known(message.socket as TLSSocket)
      const body = http1Body(message)
      const request = incomingRequest({ method, url, headers, rawHeaders, body, ...connection })
      if (request.body.type === 'none') body.discard()
      response.on('close', () => request.gone())
      response.on('error', () => {})
      void answerTo(sink, request)
    } catch {
      malformed(sink)
    }
  }

  async function onUpgrade(message: IncomingMessage, socket: Duplex, head: Buffer) {
    socket.on('error', () => {})
    try {
      const { method = 'GET', url = '/', headers, rawHeaders } = message
      const connection = known(message.socket as TLSSocket)
      const incoming = { method, url, headers, rawHeaders, body: undefined, ...connection, upgrade: message }
      const request = incomingRequest(incoming)
      socket.on('close', () => request.gone())
      open.add(request)
      socket.on('close', () => {
        open.delete(request)
        observer?.ended(request, 0)
      })
      const answer = await handler(request)
      if (answer.type === 'upgrade') answer.accept(socket, head)
      else refuseUpgrade(socket, answer.status, 'application/json', refusalText(answer), clock)
    } catch (error) {
      logger.error({ err: error, path: message.url }, 'an upgrade broke off')
      socket.destroy()
    }
  }

  return { open, known, onStream, onRequest, onUpgrade }
}

function listenOn(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'the address is in use by another program' : error.message
      reject(new Error(`cannot listen on ${host}:${port}: ${why}`, { cause: error }))
    }
    server.once('error', failed)
    server.listen(port, host, () => {
      server.removeListener('error', failed)
      resolve((server.address() as { port: number }).port)
    })
  })
}

/** Listens on every host of `options` at one port. Rejects, with nothing left open, when an address is taken. */
export async function listenHttps(deps: HttpsServerDeps, options: ListenOptions): Promise<Listening> {
  const { logger } = deps
  const { key, cert, clientCa } = options.tls
  const conversation = createConversation(deps)
  const sessions = new Set<Session>()
  const sockets = new Set<Duplex>()
  const servers: Server[] = []

  function beginSession(socket: TLSSocket) {
    const connection = conversation.known(socket)
    const session = createSession(socket, {
      clock: deps.clock,
      idleMs: IDLE,
      onStream: stream => conversation.onStream(stream, connection),
      onClose: () => sessions.delete(session),
    })
    sessions.add(session)
  }

  function create(): Server {
    const server = createServer({
      key,
      cert,
      ...TLS_OPTIONS,
      noDelay: true,
      ...(clientCa && { ca: clientCa, requestCert: true, rejectUnauthorized: false }),
    })
    lingerAtEnd(server, deps.clock)
    server.on('request', conversation.onRequest)
    server.on('upgrade', (message, socket, head) => void conversation.onUpgrade(message, socket, head))
    takeHttp2(server, beginSession)
    server.on('secureConnection', (socket: TLSSocket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    })
    server.on('tlsClientError', error => logger.debug({ err: error }, 'a TLS handshake failed'))
    servers.push(server)
    return server
  }

  function stopListening() {
    for (const server of servers) server.close()
    for (const session of sessions) session.close()
  }
  function cut() {
    for (const session of sessions) session.destroy()
    for (const socket of sockets) socket.destroy()
  }

  let port = options.port
  try {
    for (const host of options.hosts) port = await listenOn(create(), host, port)
  } catch (error) {
    stopListening()
    throw error
  }
  return {
    port,
    async close(graceMs = 0) {
      const ended = Promise.all(servers.map(server => new Promise<void>(resolve => server.once('close', resolve))))
      stopListening()
      if (graceMs > 0 && conversation.open.size > 0) await within(deps.clock, graceMs, ended)
      cut()
      await ended
    },
  }
}
