/**
 * The transport between machines: HTTP/2 over TLS to one API server. One session carries everything; when it breaks,
 * the next request opens another. Watches come as batches of the events that arrived together.
 */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/log.ts'
import { eventLines } from './event-lines.ts'
import type { ApiRequest, ApiResponse, Transport } from './transport.ts'

export interface HttpsTransportOptions {
  /** `https://127.0.0.1:6443`. */
  readonly server: string
  /** PEM of the authority that signed the server's certificate; the machine's authorities when absent. */
  readonly ca?: string
  /** PEM of a client certificate and its key. */
  readonly cert?: string
  readonly key?: string
  /** The same where they change while this runs: asked with each new connection. */
  credentials?(): { readonly cert: string; readonly key: string }
  /** A bearer token, or a function that reads the current one. */
  readonly token?: string | (() => string)
  readonly userAgent?: string
  readonly clock: Clock
  readonly logger: Logger
}

export interface HttpsTransport {
  readonly transport: Transport
  /** Requests from now on go over a new connection; those under way end first, or are cut where `cut` is set. */
  renew(cut?: boolean): void
  /** Cuts everything. */
  close(): void
}

/** A session without a sign of life for this long is pinged; ms. */
const QUIET_MS = 30_000
const PING_MS = 15_000

/** Makes a transport; connects with the first request. */
export function createHttpsTransport(options: HttpsTransportOptions): HttpsTransport {
  let session: ClientHttp2Session | undefined
  let closed = false

  function open(): ClientHttp2Session {
    if (closed) throw new Error(`the connection to ${options.server} was closed`)
    if (session && !session.closed && !session.destroyed) return session
    const { ca } = options
    const { cert, key } = options.credentials?.() ?? options
    const next = connect(options.server, { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) })
    session = next
    // Errors reach the requests that they concern; here they only end the session.
    next.on('error', error => options.logger.debug({ err: error }, 'the session broke'))
    next.on('goaway', () => void (session === next && (session = undefined)))
    next.on('close', () => void (session === next && (session = undefined)))
    next.setTimeout(QUIET_MS, () => checkAlive(next))
    return next
  }

  const transport: Transport = async request => {
    const first = open()
    try {
      return await exchange(first, request, headersFor(options, request))
    } catch (error) {
      // The server was closing the session and has not seen the request.
      if (!isUnsent(error) || closed || request.signal?.aborted) throw describe(error, options.server)
      if (session === first) session = undefined
      try {
        return await exchange(open(), request, headersFor(options, request))
      } catch (again) {
        throw describe(again, options.server)
      }
    }
  }
  return {
    transport,
    renew(cut = false) {
      const before = session
      session = undefined
      if (cut) before?.destroy(new Error('the connection does not answer'))
      else before?.close()
    },
    close() {
      closed = true
      session?.destroy()
    },
  }
}

function checkAlive(session: ClientHttp2Session) {
  if (session.closed || session.destroyed) return
  const timer = setTimeout(() => session.destroy(new Error('the server did not answer a ping')), PING_MS)
  timer.unref()
  session.ping(() => clearTimeout(timer))
}

const UNSENT = new Set(['ERR_HTTP2_GOAWAY_SESSION', 'ERR_HTTP2_INVALID_SESSION'])
const isUnsent = (error: unknown) =>
  UNSENT.has((error as NodeJS.ErrnoException).code ?? '') || /NGHTTP2_REFUSED_STREAM/.test(String(error))

const describe = (error: unknown, server: string) =>
  new Error(`no answer from ${server}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })

function headersFor(options: HttpsTransportOptions, request: ApiRequest): Record<string, string> {
  const search = new URLSearchParams(request.query).toString()
  const token = typeof options.token === 'function' ? options.token() : options.token
  return {
    ':method': request.method,
    ':path': search ? `${request.path}?${search}` : request.path,
    accept: request.accept ?? 'application/json, */*',
    'user-agent': options.userAgent ?? 'tutti',
    ...(request.body !== undefined && { 'content-type': request.contentType ?? 'application/json' }),
    ...(token && { authorization: `Bearer ${token}` }),
  }
}

function exchange(
  session: ClientHttp2Session,
  request: ApiRequest,
  headers: Record<string, string>,
): Promise<ApiResponse> {
  return new Promise((resolve, reject) => {
    if (request.signal?.aborted) return reject(request.signal.reason)
    const stream = session.request(headers, { endStream: request.body === undefined })
    const abort = () => stream.close(constants.NGHTTP2_CANCEL)
    request.signal?.addEventListener('abort', abort, { once: true })
    stream.on('close', () => request.signal?.removeEventListener('abort', abort))
    stream.on('error', reject)
    stream.on('close', () => reject(new Error('the stream was closed before it was answered')))
    stream.on('response', answer => {
      readAnswer(stream, answer, request).then(resolve, reject)
    })
    if (request.body !== undefined) {
      const raw = typeof request.body === 'string' || request.body instanceof Uint8Array
      stream.end(raw ? request.body : JSON.stringify(request.body))
    }
  })
}

async function readAnswer(
  stream: ClientHttp2Stream,
  headers: IncomingHttpHeaders & { ':status'?: number | undefined },
  request: ApiRequest,
): Promise<ApiResponse> {
  const status = headers[':status'] ?? 500
  const warnings = warningTexts(headers.warning as string | string[] | undefined)
  const base = { status, ...(warnings.length > 0 && { warnings }) }
  const isJson = String(headers['content-type'] ?? '').startsWith('application/json')
  if (status < 400 && isWatch(request)) return { ...base, events: eventLines(chunks(stream, request.signal)) }
  if (status < 400 && !isJson) return { ...base, bytes: chunks(stream, request.signal) }
  const parts: Buffer[] = []
  for await (const chunk of stream) parts.push(chunk as Buffer)
  const text = Buffer.concat(parts).toString()
  return { ...base, object: isJson ? JSON.parse(text) : plainStatus(status, text) }
}

const isWatch = (request: ApiRequest) => request.query?.watch === 'true' || request.query?.watch === '1'

/** What did not come from an API server's handlers, such as a proxy's answer, as a Status. */
const plainStatus = (code: number, message: string) => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message: message.trim() || `the server answered ${code}`,
  code,
})

/** Texts of `Warning: 299 - "…"` headers. */
function warningTexts(value: string | string[] | undefined): string[] {
  const headers = value === undefined ? [] : Array.isArray(value) ? value : [value]
  return headers.flatMap(header =>
    [...header.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(match => match[1]!.replace(/\\(.)/g, '$1')),
  )
}

async function* chunks(stream: ClientHttp2Stream, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of stream) yield chunk as Buffer
  } catch (error) {
    if (!signal?.aborted) throw error
  }
}
