/**
 * Requests to backends that speak HTTP/2 without TLS (`appProtocol: kubernetes.io/h2c`, KEP-3726), as gRPC servers do:
 * one connection to each, made with the first request.
 */
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2'
import type { Clock } from '../../lib/clock.ts'
import { hostPort } from '../../lib/host-port.ts'
import type { Fields } from '../../lib/http1/head.ts'
import type { Endpoint } from '../backends/backends.ts'
import { endToEnd } from './headers.ts'
import { fieldsOf, headersOf } from './http2-fields.ts'
import { CONNECT_MS, type Send, type Sending, type SendingEvents, SILENCE_MS, tooLate } from './sending.ts'

export interface Http2Backends {
  readonly send: Send
  /** No request will go to an endpoint any more: its connection ends when what is under way has. */
  drop(endpoint: Endpoint): void
  close(): void
}

/** RFC 9113, section 7. The second says that nothing was done. */
const NO_ERROR = 0
const REFUSED_STREAM = 7
/** RFC 9113, 6.2. */
const END_STREAM = 1

/** As HTTP/2 has them. Trailers are taken, without which gRPC servers answer nothing. */
function headersFor(method: string, path: string, fields: Fields): OutgoingHttpHeaders {
  const { host, 'transfer-encoding': _, ...rest } = headersOf(fields)
  return {
    ':method': method,
    ':path': path,
    ...(host !== undefined && { ':authority': host }),
    te: 'trailers',
    ...rest,
  }
}

/** Tells what comes on a stream, as it comes. */
function follow(stream: ClientHttp2Stream, events: SendingEvents): Sending {
  let trailers: string[] = []
  let over = false
  stream.setTimeout(SILENCE_MS, () => stream.destroy(tooLate('the backend says nothing')))
  stream.on('trailers', found => (trailers = fieldsOf(found)))
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (over) return
    over = true
    const refused = stream.rstCode === REFUSED_STREAM || error.code === 'ERR_HTTP2_GOAWAY_SESSION'
    events.failed({ code: error.code, unread: refused })
  })
  stream.on('close', () => {
    if (over) return
    over = true
    events.failed({ code: 'EOF', unread: false })
  })
  stream.on('response', ({ ':status': status = 502, ...rest }, flags) => {
    if (over) return
    stream.setTimeout(0)
    // In HTTP/2 that is not the same as an empty body: gRPC has its status in the head then.
    const headOnly = (flags & END_STREAM) !== 0
    events.answered({ status, reason: '', fields: endToEnd(fieldsOf(rest)), body: headOnly ? 'none' : bodyOf(rest) })
    events.settled()
    stream.on('data', (chunk: Buffer) => {
      if (over) return
      events.data(chunk)
      events.settled()
    })
  })
  stream.on('end', () => {
    // Node ends what a backend breaks off, too; `close` or `error` tell of it.
    if (over || stream.aborted || stream.rstCode !== NO_ERROR) return
    over = true
    events.ended(endToEnd(trailers))
    events.settled()
  })
  stream.on('drain', () => !over && events.drained())
  return {
    write: chunk => void stream.write(chunk),
    end: () => void stream.end(),
    flush: () => !stream.writableNeedDrain,
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    destroy() {
      over = true
      stream.destroy()
    },
  }
}

const bodyOf = (headers: IncomingHttpHeaders) => (headers['content-length'] === undefined ? 'unsized' : 'sized')

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
    send(endpoint, { method, path, fields, body, upgrade }, events) {
      if (endpoint.external) throw new Error('hosts outside the cluster are not spoken to in HTTP/2')
      if (upgrade) throw new Error('WebSockets are not carried over HTTP/2')
      const session = sessionTo(endpoint)
      const isNew = session.connecting
      const stream = session.request(headersFor(method, path, fields), { endStream: body === 'none' })
      endpoint.inFlight++
      stream.once('close', () => endpoint.inFlight--)
      if (isNew) session.once('connect', () => !stream.destroyed && events.connected())
      const sending = follow(stream, events)
      if (!isNew) events.connected()
      return sending
    },
    drop(endpoint) {
      sessions.get(idOf(endpoint))?.close()
    },
    close() {
      for (const session of sessions.values()) session.destroy()
    },
  }
}
