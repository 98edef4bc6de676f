/**
 * Requests to backends that speak HTTP/2 without TLS (`appProtocol: kubernetes.io/h2c`, KEP-3726), as gRPC servers do:
 * one connection to each, made with the first request.
 */
import type { ClientHttp2Session, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2'
import type { Clock } from '../../lib/clock.ts'
import { hostPort } from '../../lib/host-port.ts'
import type { Endpoint } from '../backends/backends.ts'
import { CONNECT_MS, type Send, SILENCE_MS, tooLate } from './sending.ts'

export interface Http2Backends {
  readonly send: Send
  /** No request will go to an endpoint any more: its connection ends when what is under way has. */
  drop(endpoint: Endpoint): void
  close(): void
}

/** Of HTTP/1.1 alone. */
const NOT_HERE = new Set(['host', 'transfer-encoding'])
/** RFC 9113, section 7: it says that nothing was done. */
const REFUSED_STREAM = 7
/** RFC 9113, 6.2. */
const END_STREAM = 1

/** As HTTP/2 has them. Trailers are taken, without which gRPC servers answer nothing. */
function headersFor(method: string, path: string, headers: readonly string[]): OutgoingHttpHeaders {
  const own: Record<string, string | string[]> = { ':method': method, ':path': path, te: 'trailers' }
  for (let at = 0; at < headers.length; at += 2) {
    const [name, value] = [headers[at]!.toLowerCase(), headers[at + 1]!]
    if (name === 'host') own[':authority'] = value
    if (NOT_HERE.has(name)) continue
    const before = own[name]
    own[name] = before === undefined ? value : [before, value].flat()
  }
  return own
}

function flat(headers: IncomingHttpHeaders): string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith(':') || value === undefined ? [] : [value].flat().flatMap(each => [name, each]),
  )
}

/** Makes it, with no connection. */
export function openHttp2Backends(clock: Clock): Http2Backends {
  const sessions = new Map<string, ClientHttp2Session>()
  const idOf = ({ host, port }: Endpoint) => `${host} ${port}`

  function sessionTo(endpoint: Endpoint): ClientHttp2Session {
    const id = idOf(endpoint)
    const standing = sessions.get(id)
    if (standing && !standing.closed && !standing.destroyed) return standing
    const { connect } = process.getBuiltinModule('node:http2')
    const session = connect(`http://${hostPort(endpoint.host, endpoint.port)}`)
    const timer = clock.after(CONNECT_MS, () => session.destroy(tooLate('the backend does not take the connection')))
    session.once('connect', () => timer.cancel())
    // Its streams tell of it.
    session.on('error', () => {})
    session.once('close', () => {
      timer.cancel()
      if (sessions.get(id) === session) sessions.delete(id)
    })
    // It takes nothing new: the next request makes another one.
    session.on('goaway', () => sessions.get(id) === session && sessions.delete(id))
    session.unref()
    sessions.set(id, session)
    return session
  }

  return {
    send(endpoint, { method, path, headers, hasBody }, events) {
      if (endpoint.external) throw new Error('hosts outside the cluster are not spoken to in HTTP/2')
      const session = sessionTo(endpoint)
      const isNew = session.connecting
      const stream = session.request(headersFor(method, path, headers), { endStream: !hasBody })
      let trailers: IncomingHttpHeaders | undefined
      stream.setTimeout(SILENCE_MS, () => stream.destroy(tooLate('the backend says nothing')))
      stream.once('close', events.closed)
      stream.on('trailers', found => (trailers = found))
      stream.on('error', (error: NodeJS.ErrnoException) => {
        const refused = stream.rstCode === REFUSED_STREAM || error.code === 'ERR_HTTP2_GOAWAY_SESSION'
        events.failed(refused ? Object.assign(error, { code: 'ECONNREFUSED' }) : error)
      })
      stream.on('response', ({ ':status': status = 502, ...rest }, flags) => {
        stream.setTimeout(0)
        events.answered({
          status,
          message: '',
          headers: flat(rest),
          body: stream,
          headOnly: (flags & END_STREAM) !== 0,
          trailers: () => trailers as Record<string, string> | undefined,
        })
      })
      if (isNew) session.once('connect', () => events.connected(stream))
      else events.connected(stream)
      return stream
    },
    drop(endpoint) {
      sessions.get(idOf(endpoint))?.close()
    },
    close() {
      for (const session of sessions.values()) session.destroy()
    },
  }
}
