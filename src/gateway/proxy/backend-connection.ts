/**
 * A connection to a backend in HTTP/1.1, on which one request is answered after the other. It is told with the first
 * request whom to tell; between two it belongs to whoever keeps it (`connections.ts`).
 */
import type { Socket } from 'node:net'
import type { Clock } from '../../lib/clock.ts'
import { type BodyReader, bodyReader } from '../../lib/http1/body.ts'
import {
  type AnswerHead,
  endOfHead,
  type Fields,
  type Framing,
  framingOfAnswer,
  HEAD_END,
  readAnswerHead,
  staysOpen,
} from '../../lib/http1/head.ts'
import type { Endpoint } from '../backends/backends.ts'
import type { Deadlines, Waiting } from '../deadlines.ts'
import { endToEnd } from './headers.ts'
import { linesOf, Outbox, writeChunk, writeLastChunk } from './outbox.ts'
import { CONNECT_MS, type Outgoing, type Sending, type SendingEvents, SILENCE_MS, tooLate } from './sending.ts'
import type { AnswerStart } from './visit.ts'

export interface BackendDeps {
  readonly clock: Clock
  readonly deadlines: Deadlines
  /** The answer has ended, and the connection can be used again. */
  idle(connection: BackendConnection): void
}

/** Bounds of what backends say before a body. */
const LIMITS = { bytes: 65_536, fields: 200 }
/** How long one is kept without a request, in ms, unless the backend says a shorter time. */
const IDLE_MS = 60_000
const KEEP_ALIVE = /(?:^|,)\s*timeout=(\d{1,6})/i

/** A request of so many bytes that is written at once goes in one packet: it is read as a whole or not at all. */
const ONE_PACKET = 1_200
/**
 * By a reset a system says that it has thrown bytes away unread: they came after their reader had closed, or before one
 * had accepted the connection. Where a program has read them all and ends, the connection ends in order.
 */
const RESET = new Set(['ECONNRESET', 'EPIPE'])

const closed = () => Object.assign(new Error('the backend closed the connection'), { code: 'EOF' })
const broken = () => Object.assign(new Error('the backend does not speak HTTP'), { code: 'EPROTO' })

/** Ms that the backend keeps an idle connection itself, less what may be on the way. */
function keptFor(fields: Fields): number {
  for (let at = 0; at < fields.length; at += 2)
    if (fields[at]!.length === 10 && fields[at]!.toLowerCase() === 'keep-alive') {
      const [, seconds] = KEEP_ALIVE.exec(fields[at + 1]!) ?? []
      if (seconds) return Math.max(0, Math.min(IDLE_MS, Number(seconds) * 1000 - 1000))
    }
  return IDLE_MS
}

export class BackendConnection implements Sending, Waiting {
  readonly socket: Socket
  readonly endpoint: Endpoint
  deadline = Number.POSITIVE_INFINITY
  /** When the last answer ended, by `Clock.elapsed`. */
  idleSince = 0
  readonly #deps: BackendDeps
  readonly #out: Outbox
  #outgoing: Outgoing | undefined
  /** Of the request under way. */
  #events: SendingEvents | undefined
  /** Bytes of the request, and how often some of them were written. */
  #sent = 0
  #writes = 0
  #asked = false
  #answered = false
  #stays = false
  #keptMs = IDLE_MS
  #untilClose = false
  #begun: Buffer | undefined
  #body: BodyReader | undefined
  #error: NodeJS.ErrnoException | undefined

  constructor(socket: Socket, endpoint: Endpoint, deps: BackendDeps) {
    this.socket = socket
    this.endpoint = endpoint
    this.#deps = deps
    this.#out = new Outbox(socket)
    socket.on('data', this.#heard)
    socket.on('end', this.#ended)
    socket.on('drain', this.#drained)
    socket.on('error', this.#failed)
    socket.on('close', this.#closed)
    deps.deadlines.add(this)
    const timer = deps.clock.after(CONNECT_MS, () => this.#end(tooLate('the backend takes no connection')))
    socket.once('close', () => timer.cancel())
    socket.once(endpoint.protocol === 'https' ? 'secureConnect' : 'connect', () => {
      timer.cancel()
      this.#events?.connected()
    })
  }

  /** Whether a request can be sent on it, as far as is known here. */
  get stands(): boolean {
    return !this.socket.destroyed && this.#events === undefined
  }

  /** Begins a request. Where the connection stands already, `connected` is told before it returns. */
  begin(outgoing: Outgoing, events: SendingEvents): void {
    const { method, path, fields, body, upgrade } = outgoing
    this.#outgoing = outgoing
    this.#events = events
    this.#asked = this.#answered = this.#untilClose = false
    this.endpoint.inFlight++
    this.deadline = this.#deps.clock.elapsed() + SILENCE_MS
    const framing = body === 'unsized' ? 'Transfer-Encoding: chunked\r\n' : ''
    const asking = upgrade ? 'Connection: Upgrade\r\nUpgrade: websocket\r\n' : ''
    const head = `${method} ${path} HTTP/1.1\r\n${linesOf(fields)}${framing}${asking}\r\n`
    this.#sent = head.length
    this.#writes = 0
    this.#out.text(head)
    if (!this.socket.connecting) events.connected()
  }

  write(chunk: Buffer): void {
    this.#sent += chunk.length
    if (!this.#answered) this.deadline = this.#deps.clock.elapsed() + SILENCE_MS
    if (this.#outgoing?.body === 'unsized') writeChunk(this.#out, chunk)
    else this.#out.bytes(chunk)
  }

  end(): void {
    if (this.#outgoing?.body === 'unsized') writeLastChunk(this.#out, [])
    this.#asked = true
  }

  flush(): boolean {
    if (!this.#out.isEmpty) this.#writes++
    return this.#out.flush()
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  destroy(): void {
    this.#forget()
    this.socket.destroy()
  }

  late(): void {
    this.#end(tooLate('the backend says nothing'))
  }

  /** It is nobody's any more; returns whom the request was of. */
  #forget(): SendingEvents | undefined {
    const events = this.#events
    if (events) this.endpoint.inFlight--
    this.#events = undefined
    return events
  }

  #end(error: NodeJS.ErrnoException): void {
    const events = this.#forget()
    this.socket.destroy()
    const { code = '' } = error
    // Within TLS, what one packet holds is not known.
    const isPlain = this.endpoint.protocol !== 'https'
    const isWhole = isPlain && this.#writes <= 1 && this.#sent <= ONE_PACKET
    const unread = isWhole && error === this.#error && RESET.has(code) && !this.#answered && !this.#begun
    events?.failed({ code, unread })
  }

  #heard = (chunk: Buffer) => {
    let rest: Buffer | undefined = chunk
    try {
      while (rest?.length) {
        // What comes when nothing was asked is no answer to what is asked next.
        if (!this.#events) {
          this.destroy()
          return
        }
        rest = this.#body ? this.#body.read(rest) : this.#head(rest)
      }
    } catch {
      this.#end(broken())
    }
    this.#events?.settled()
  }

  /** Reads heads up to that of the answer itself; returns what comes after it. */
  #head(chunk: Buffer): Buffer | undefined {
    const all = this.#begun ? Buffer.concat([this.#begun, chunk]) : chunk
    const end = endOfHead(all, LIMITS)
    if (end < 0) {
      this.#begun = all
      return undefined
    }
    this.#begun = undefined
    const head = readAnswerHead(all.toString('latin1', 0, end), LIMITS)
    const rest = all.subarray(end + HEAD_END.length)
    if (head.status === 101) return this.#switch(head, rest)
    // Others tell of what comes.
    if (head.status < 200) return rest
    this.#answer(head)
    return rest
  }

  #answer(head: AnswerHead) {
    const events = this.#events!
    const framing = framingOfAnswer(head, this.#outgoing!.method)
    this.#answered = true
    this.#stays = staysOpen(head) && framing.kind !== 'close'
    this.#keptMs = this.#stays ? keptFor(head.fields) : 0
    this.#untilClose = framing.kind === 'close'
    this.deadline = Number.POSITIVE_INFINITY
    events.answered(startOf(head, framing))
    // Whoever gets it may have given it up.
    if (this.#events !== events) return
    if (framing.kind === 'none') return this.#over([])
    this.#body = bodyReader(
      framing,
      { data: chunk => this.#events?.data(chunk), end: trailers => this.#over(trailers) },
      LIMITS,
    )
  }

  /** The answer has ended. */
  #over(trailers: Fields) {
    this.#body = undefined
    const isFree = this.#stays && this.#asked
    const events = this.#forget()
    events?.ended(endToEnd(trailers))
    events?.settled()
    if (!isFree || this.socket.destroyed) return void this.socket.destroy()
    // Its reader may have been made to wait.
    this.socket.resume()
    this.idleSince = this.#deps.clock.elapsed()
    this.deadline = this.idleSince + this.#keptMs
    return this.#deps.idle(this)
  }

  #switch(head: AnswerHead, rest: Buffer): undefined {
    if (!this.#outgoing?.upgrade || head.upgrade !== 'websocket') throw broken()
    const { socket, endpoint } = this
    const events = this.#forget()
    socket.off('data', this.#heard).off('end', this.#ended).off('drain', this.#drained)
    this.deadline = Number.POSITIVE_INFINITY
    endpoint.inFlight++
    socket.once('close', () => endpoint.inFlight--)
    events?.upgraded(startOf(head, { kind: 'none' }), socket, rest)
  }

  #ended = () => {
    if (this.#untilClose && this.#body) this.#over([])
    else this.#end(closed())
  }

  #drained = () => this.#events?.drained()

  #failed = (error: NodeJS.ErrnoException) => {
    this.#error = error
  }

  #closed = () => {
    this.#deps.deadlines.delete(this)
    this.#end(this.#error ?? closed())
  }
}

const BODIES = { none: 'none', sized: 'sized', chunked: 'unsized', close: 'unsized' } as const

const startOf = ({ status, reason, fields }: AnswerHead, { kind }: Framing): AnswerStart => ({
  status,
  reason,
  fields: endToEnd(fields),
  body: BODIES[kind],
})
