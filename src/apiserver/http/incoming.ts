/** A request from the wire as a `ServerRequest`. What is dear (query, signal) is made when first asked for. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import type { Kind } from '../../api/machinery/kind.ts'
import { requestEntityTooLarge } from '../../api/machinery/status-error.ts'
import type { BodyTaker } from '../../lib/http2/stream.ts'
import { ANONYMOUS, type ClientCertificate, type UserInfo } from '../authentication/authenticator.ts'
import type { RequestBody, RequestInfo, ServerRequest } from '../request.ts'
import { Warnings } from '../warnings.ts'
import type { MediaChoice } from './media.ts'
import { parseRequestInfo } from './request-info.ts'

/** As upstream: a body may be 3 MiB. */
export const BODY_LIMIT = 3 * 1024 * 1024

const NO_QUERY = new URLSearchParams()
const NO_BODY: RequestBody = { type: 'none' }

/** The body of a request, whatever brings it. One of its functions is called, once. */
export interface BodySource {
  take(taker: BodyTaker): void
  readable(): Readable
  /** Nobody wants it. */
  discard(): void
}

/** The body of a request over HTTP/1.1. */
export const http1Body = (message: IncomingMessage): BodySource => ({
  take(taker) {
    message.on('data', taker.data)
    message.on('end', taker.end)
    message.on('error', taker.aborted)
    message.on('aborted', () => taker.aborted(new Error('the client went away before its request was complete')))
  },
  readable: () => message,
  discard: () => void message.resume(),
})

/** Reads a body of at most BODY_LIMIT bytes; the rest of a larger one is thrown away. */
function readBody(body: BodySource): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    body.take({
      data(chunk) {
        size += chunk.length
        if (size <= BODY_LIMIT) chunks.push(chunk)
        else reject(requestEntityTooLarge(`limit is ${BODY_LIMIT}`))
      },
      end: () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)),
      aborted: reject,
    })
  })
}

export interface Incoming {
  readonly method: string
  /** Path and query, as sent. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: BodySource | undefined
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[]
  readonly certificate?: ClientCertificate | undefined
  readonly upgrade?: IncomingMessage
  /** The peer's address. */
  readonly remoteAddress?: string | undefined
  /** The peer is on this machine. */
  readonly loopback: boolean
}

/** A `ServerRequest` that the HTTP side can end. */
export interface HttpRequest extends ServerRequest {
  /** The client has gone: aborts the signal. */
  gone(): void
  readonly loopback: boolean
}

class WireRequest implements HttpRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: RequestBody
  readonly info: RequestInfo
  readonly loopback: boolean
  readonly rawHeaders: readonly string[]
  readonly clientCertificate?: ClientCertificate
  readonly upgrade?: IncomingMessage
  readonly remoteAddress?: string
  user: UserInfo = ANONYMOUS
  kind?: Kind
  media?: MediaChoice
  flow?: NonNullable<ServerRequest['flow']>
  written?: () => void
  #warnings: Warnings | undefined
  #controller: AbortController | undefined
  #gone = false

  constructor(incoming: Incoming) {
    const { url, method, headers, body } = incoming
    const at = url.indexOf('?')
    this.method = method
    this.path = at < 0 ? url : url.slice(0, at)
    this.query = at < 0 ? NO_QUERY : new URLSearchParams(url.slice(at + 1))
    this.headers = headers
    this.rawHeaders = incoming.rawHeaders
    this.info = parseRequestInfo(method, this.path, this.query)
    this.loopback = incoming.loopback
    if (incoming.certificate) this.clientCertificate = incoming.certificate
    if (incoming.upgrade) this.upgrade = incoming.upgrade
    if (incoming.remoteAddress) this.remoteAddress = incoming.remoteAddress
    this.body =
      body && method !== 'GET' && method !== 'HEAD'
        ? {
            type: 'bytes',
            contentType: headers['content-type'] ?? '',
            read: () => readBody(body),
            stream: () => body.readable(),
          }
        : NO_BODY
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.#gone) this.#controller.abort()
    }
    return this.#controller.signal
  }

  gone() {
    this.#gone = true
    this.#controller?.abort()
  }

  warn(text: string) {
    this.#warnings ??= new Warnings()
    this.#warnings.add(text)
  }

  get warnings(): readonly string[] {
    return this.#warnings?.list ?? []
  }
}

/** Makes the request. Throws URIError for a path that cannot be decoded. */
export function incomingRequest(incoming: Incoming): HttpRequest {
  return new WireRequest(incoming)
}
