/** One request of HTTP/2, and the answer to it. */
import { constants, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { Clock } from '../../lib/clock.ts'
import type { BodyTaker } from '../../lib/http1/body.ts'
import type { Fields } from '../../lib/http1/head.ts'
import { unmapped } from '../../lib/ip-address.ts'
import type { Deadlines, Waiting } from '../deadlines.ts'
import { fieldsOf, headersOf } from '../proxy/http2-fields.ts'
import { type Inbound, readInbound } from '../proxy/inbound.ts'
import type { AnswerStart, Visit, VisitEvents } from '../proxy/visit.ts'
import { STALL_MS } from './limits.ts'

function inboundOf(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Inbound {
  const { ':method': method = 'GET', ':path': target = '', ':authority': authority, host } = headers
  const length = Number(headers['content-length'] ?? 0)
  const { remoteAddress = '' } = (stream.session as ServerHttp2Session).socket
  return readInbound({
    ...{ method, target, length },
    hosts: [authority ?? host ?? ''],
    fields: fieldsOf(headers),
    body: headers['content-length'] !== undefined ? 'sized' : stream.endAfterHeaders ? 'none' : 'unsized',
    upgrade: false,
    secure: true,
    client: unmapped(remoteAddress),
  })
}

export interface Http2Deps {
  readonly clock: Clock
  readonly deadlines: Deadlines
}

export class Http2Visit implements Visit, Waiting {
  readonly inbound: Inbound
  status: number | undefined
  events: Partial<VisitEvents> = {}
  deadline = Number.POSITIVE_INFINITY
  readonly #deps: Http2Deps
  readonly #stream: ServerHttp2Stream
  readonly #expects: boolean
  #over = false

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, deps: Http2Deps) {
    this.#deps = deps
    this.#stream = stream
    this.inbound = inboundOf(stream, headers)
    this.#expects = headers.expect === '100-continue'
    // A client that breaks off is told of by `close`.
    stream.on('error', () => {})
    stream.on('drain', () => {
      deps.deadlines.delete(this)
      this.events.drained?.()
    })
    stream.on('close', () => {
      deps.deadlines.delete(this)
      if (!this.#over) this.events.gone?.()
      this.events.closed?.()
    })
  }

  take(taker: BodyTaker): void {
    if (this.#expects) this.#stream.additionalHeaders({ ':status': 100 })
    this.#stream.on('data', (chunk: Buffer) => taker.data(chunk))
    // Node ends what a client breaks off, too.
    this.#stream.on('end', () => {
      if (!this.#stream.aborted) taker.end([])
    })
  }

  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  begin({ status, fields, body }: AnswerStart): void {
    if (this.#stream.destroyed || this.#stream.closed) return
    this.status = status
    const endStream = body === 'none' || this.inbound.method === 'HEAD'
    this.#stream.respond(
      { ':status': status, ...headersOf(fields) },
      { endStream, waitForTrailers: !endStream && body === 'unsized' },
    )
  }

  write(chunk: Buffer): void {
    if (!this.#stream.writableEnded && !this.#stream.destroyed) this.#stream.write(chunk)
  }

  end(trailers: Fields): void {
    // Its time begins now, if at all: of a stream that ends nobody hears that it must be waited for.
    this.flush()
    this.#over = true
    this.#stream.once('wantTrailers', () => this.#stream.sendTrailers(headersOf(trailers)))
    this.#stream.end()
    // What is left of the request's body is not waited for.
    if (!this.#stream.readableEnded) this.#stream.resume()
  }

  flush(): boolean {
    const isTaken = !this.#stream.writableNeedDrain
    if (!isTaken) {
      this.deadline = this.#deps.clock.elapsed() + STALL_MS
      this.#deps.deadlines.add(this)
    }
    return isTaken
  }

  /** The client takes nothing of the answer. */
  late(): void {
    this.cut()
  }

  cut(): void {
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  }

  join(_: AnswerStart, backend: Duplex): void {
    // No request of HTTP/2 asks for one.
    backend.destroy()
  }
}
