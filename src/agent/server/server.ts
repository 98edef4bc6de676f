/**
 * A node's own HTTPS (the kubelet's, port 10250): what the API server, and whoever may, asks a node directly. Every
 * request is authenticated and authorized by the API server's word; nothing is open to the anonymous.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Server } from 'node:https'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { StatusError } from '../../api/machinery/status-error.ts'
import type { Client } from '../../client/client.ts'
import type { NodeApi } from '../../client/node-api.ts'
import type { Clock } from '../../lib/clock.ts'
import { lingerAtEnd } from '../../lib/linger.ts'
import type { Logger } from '../../lib/log.ts'
import type { KeyPair } from '../../lib/pki/certificate.ts'
import { refuseUpgrade } from '../../lib/refuse-upgrade.ts'
import { type Caller, certificateCaller, tokenCallers } from './identity.ts'
import { neededFor, nodePermission } from './permission.ts'
import { acceptStream, type StreamDeps } from './streams.ts'

/** The kubelet's port. */
export const KUBELET_PORT = 10_250

export interface NodeServerOptions {
  readonly hosts: readonly string[]
  /** Where it is taken, any other is taken. Default 10250. */
  readonly port?: number
  /** PEM of the authority of clients. */
  readonly clientCa: string
  /** What it serves with, where that is known already: see `NodeServer.use`. */
  readonly certificate?: KeyPair
}

export interface NodeServerDeps extends StreamDeps {
  readonly nodeName: string
  readonly client: Client
  readonly clock: Clock
  readonly logger: Logger
  readonly serve: NonNullable<NodeApi['serve']>
}

export interface NodeServer {
  readonly port: number
  /** Serves new connections with another certificate. Without one, no connection comes about. */
  use(pair: KeyPair): void
  close(): Promise<void>
}

/** An answer before there is one. */
class Refusal extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

interface Asked {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
}

function asked({ method = 'GET', url = '/' }: IncomingMessage): Asked {
  const at = url.indexOf('?')
  return {
    method,
    path: at < 0 ? url : url.slice(0, at),
    query: new URLSearchParams(at < 0 ? '' : url.slice(at + 1)),
  }
}

/** Starts listening. Rejects when an address does not exist. */
export async function startNodeServer(options: NodeServerOptions, deps: NodeServerDeps): Promise<NodeServer> {
  const { createServer } = await import('node:https')
  const { clock, logger, nodeName } = deps
  const callerOf = tokenCallers(deps.client, clock)
  const isAllowed = nodePermission(deps.client, nodeName, clock)
  const sockets = new Set<Duplex>()

  async function identify(message: IncomingMessage): Promise<Caller> {
    const [, token] = /^Bearer (.+)$/i.exec(message.headers.authorization ?? '') ?? []
    const caller = certificateCaller(message.socket as TLSSocket, clock.now()) ?? (token && (await callerOf(token)))
    if (!caller) throw new Refusal(401, 'Unauthorized')
    return caller
  }

  async function check(message: IncomingMessage, { method, path }: Asked): Promise<void> {
    let caller: Caller | undefined
    try {
      caller = await identify(message)
      if (await isAllowed(caller, method, path)) return
    } catch (error) {
      if (error instanceof Refusal) throw error
      logger.warn({ err: error, path }, 'the API server could not be asked whether a request is allowed')
      throw new Refusal(caller ? 500 : 401, caller ? 'Authorization error' : 'Unauthorized')
    }
    const { verb, subresources } = neededFor(method, path)
    throw new Refusal(
      403,
      `Forbidden (user=${caller.name}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(' ')}])`,
    )
  }

  const refusalOf = (error: unknown): Refusal => {
    if (error instanceof Refusal) return error
    if (error instanceof StatusError) return new Refusal(error.code, error.message)
    if (error instanceof URIError) return new Refusal(400, 'the path of the request cannot be decoded')
    logger.error({ err: error }, 'a request to the node failed')
    return new Refusal(500, 'internal error')
  }

  async function respond(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    response.on('error', () => {})
    try {
      const request = asked(message)
      await check(message, request)
      const { status, contentType, body } = await deps.serve({ ...request, signal: gone.signal, body: message })
      response.writeHead(status, { 'content-type': contentType })
      response.flushHeaders()
      if (message.method !== 'HEAD')
        for await (const chunk of body) {
          if (gone.signal.aborted) break
          if (!response.write(chunk)) await drained(response)
        }
      response.end()
    } catch (error) {
      if (gone.signal.aborted) return
      if (response.headersSent) return void response.destroy()
      const { code, message: text } = refusalOf(error)
      response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' })
      response.end(`${text}\n`)
    } finally {
      // What nobody read of the request must not hold the connection.
      message.resume()
    }
  }

  async function upgrade(message: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => {})
    try {
      const request = asked(message)
      await check(message, request)
      acceptStream(deps, message, request.path, request.query)(socket, head)
    } catch (error) {
      const { code, message: text } = refusalOf(error)
      refuseUpgrade(socket, code, 'text/plain; charset=utf-8', `${text}\n`, clock)
    }
  }

  const servers: Server[] = []
  const secure = (pair: KeyPair | undefined) => ({
    ca: options.clientCa,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2' as const,
    ...(pair && { cert: pair.certificate, key: pair.key }),
  })
  const listenOn = (host: string, port: number) =>
    new Promise<number>((resolve, reject) => {
      const server = createServer({ ...secure(options.certificate), noDelay: true })
      lingerAtEnd(server, clock)
      server.on('request', (message, response) => void respond(message, response))
      server.on('upgrade', (message, socket, head) => void upgrade(message, socket, head))
      server.on('secureConnection', socket => {
        sockets.add(socket)
        socket.on('close', () => sockets.delete(socket))
        socket.on('error', () => {})
      })
      server.on('tlsClientError', error => logger.debug({ err: error }, 'a TLS handshake with the node failed'))
      server.once('error', reject)
      server.listen(port, host, () => {
        server.off('error', reject)
        // A server is not a reason to stay: the composition root decides that.
        server.unref()
        servers.push(server)
        resolve((server.address() as { port: number }).port)
      })
    })
  const close = async () => {
    const ended = servers.map(server => new Promise<void>(resolve => server.close(() => resolve())))
    for (const socket of sockets) socket.destroy()
    await Promise.all(ended)
  }
  const listenAt = async (wanted: number) => {
    let port = wanted
    for (const host of options.hosts) port = await listenOn(host, port)
    return port
  }

  let port: number
  try {
    port = await listenAt(options.port ?? KUBELET_PORT)
  } catch (error) {
    await close()
    servers.length = 0
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    logger.info({ port: options.port ?? KUBELET_PORT }, 'the port of the node is taken, using another')
    port = await listenAt(0)
  }
  return {
    port,
    use(pair) {
      for (const server of servers) server.setSecureContext(secure(pair))
    },
    close,
  }
}

/** Resolves when a response takes more, or is gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.on('drain', done)
    response.on('close', done)
  })
}
