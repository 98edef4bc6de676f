/** One request of HTTP/1.1, and the answer to it as it is written. */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { BodyTaker } from '../../lib/http1/body.ts'
import type { Fields } from '../../lib/http1/head.ts'
import { joinStreams } from '../../lib/join-streams.ts'
import type { Inbound } from '../proxy/inbound.ts'
import { linesOf, type Outbox, writeChunk, writeLastChunk } from '../proxy/outbox.ts'
import type { AnswerStart, Visit, VisitEvents } from '../proxy/visit.ts'
import { IDLE_MS } from './limits.ts'

/** The connection that a request came on. */
export interface Carrier {
  readonly socket: Socket
  readonly out: Outbox
  /** Whether another request may follow the one that is being answered. */
  readonly stays: boolean
  /** The time, in ms since the epoch. */
  now(): number
  /** Has the body of the request under way read. */
  take(taker: BodyTaker): void
  pause(): void
  resume(): void
  /** Sends what there is; false: the client is to be waited for. */
  flush(): boolean
  /** The answer to the request under way has ended. */
  answered(stays: boolean): void
  /** Lets go of the socket; returns what has been read of it. */
  release(): Buffer | undefined
}

/** Clients are told how long a connection is kept. */
const KEPT = `Connection: keep-alive\r\nKeep-Alive: timeout=${IDLE_MS / 1000}\r\n`
const LAST = 'Connection: close\r\n'

/** The last date that was written, and of which second. */
let dated = { second: -1, line: '' }

function dateLine(now: number): string {
  const second = Math.floor(now / 1000)
  if (dated.second !== second) dated = { second, line: `Date: ${new Date(second * 1000).toUTCString()}\r\n` }
  return dated.line
}

function has(fields: Fields, name: string): boolean {
  for (let at = 0; at < fields.length; at += 2)
    if (fields[at]!.length === name.length && fields[at]!.toLowerCase() === name) return true
  return false
}

/** Statuses whose answers end with their head whatever it says (RFC 9112, 6.3). */
const BODYLESS = new Set([204, 304])

export class Http1Visit implements Visit {
  readonly inbound: Inbound
  status: number | undefined
  events: Partial<VisitEvents> = {}
  readonly #connection: Carrier
  readonly #minor: number
  #body: AnswerStart['body'] = 'none'
  #chunked = false
  #stays = false
  #over = false

  constructor(connection: Carrier, inbound: Inbound, minor: number) {
    this.#connection = connection
    this.inbound = inbound
    this.#minor = minor
  }

  take(taker: BodyTaker): void {
    if (!this.#over) this.#connection.take(taker)
  }

  pause(): void {
    if (!this.#over) this.#connection.pause()
  }

  resume(): void {
    if (!this.#over) this.#connection.resume()
  }

  begin({ status, reason, fields, body }: AnswerStart): void {
    if (this.#over) return
    this.status = status
    this.#body = this.inbound.method === 'HEAD' ? 'none' : body
    this.#chunked = this.#body === 'unsized' && this.#minor === 1
    // In HTTP/1.0 the end of a body of unknown length is that of the connection.
    this.#stays = this.#connection.stays && (this.#body !== 'unsized' || this.#chunked)
    const date = has(fields, 'date') ? '' : dateLine(this.#connection.now())
    const coding = this.#chunked ? 'Transfer-Encoding: chunked\r\n' : this.#length(fields, status)
    this.#connection.out.text(
      `HTTP/1.1 ${status} ${reason}\r\n${linesOf(fields)}${date}${coding}${this.#stays ? KEPT : LAST}\r\n`,
    )
  }

  /** What says that there is no body, where nothing else does. */
  #length(fields: Fields, status: number) {
    const isSaid = this.#body !== 'none' || this.inbound.method === 'HEAD' || BODYLESS.has(status)
    return isSaid || has(fields, 'content-length') ? '' : 'Content-Length: 0\r\n'
  }

  write(chunk: Buffer): void {
    if (this.#over || this.#body === 'none') return
    if (this.#chunked) writeChunk(this.#connection.out, chunk)
    else this.#connection.out.bytes(chunk)
  }

  end(trailers: Fields): void {
    if (this.#over) return
    if (this.#chunked) writeLastChunk(this.#connection.out, trailers)
    this.#finish()
    this.#connection.answered(this.#stays)
  }

  flush(): boolean {
    return this.#over || this.#connection.flush()
  }

  cut(): void {
    this.#connection.socket.destroy()
  }

  join({ reason, fields }: AnswerStart, backend: Duplex, first: Buffer): void {
    if (this.#over) {
      backend.destroy()
      return
    }
    this.status = 101
    const { socket } = this.#connection
    const early = this.#connection.release()
    socket.write(`HTTP/1.1 101 ${reason}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${linesOf(fields)}\r\n`)
    if (first.length) socket.write(first)
    if (early?.length) backend.write(early)
    joinStreams(socket, backend)
    socket.resume()
    this.#finish()
  }

  /** The connection has ended, or ends with an answer of its own, whose status that is. */
  lost(status: number | undefined): void {
    if (this.#over) return
    this.status ??= status
    this.#over = true
    this.events.gone?.()
    this.events.closed?.()
  }

  #finish() {
    this.#over = true
    this.events.closed?.()
  }
}
