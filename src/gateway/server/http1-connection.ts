/**
 * A client's connection in HTTP/1.1: one request after the other is read, and the next one waits until the one before is
 * answered. What is no clear HTTP ends it.
 */
import type { Socket } from 'node:net'
import type { Clock } from '../../lib/clock.ts'
import { type BodyReader, type BodyTaker, bodyReader } from '../../lib/http1/body.ts'
import {
  endOfHead,
  framingOfRequest,
  HEAD_END,
  type HeadLimits,
  type RequestHead,
  readRequestHead,
  staysOpen,
} from '../../lib/http1/head.ts'
import { Malformed } from '../../lib/http1/malformed.ts'
import { unmapped } from '../../lib/ip-address.ts'
import type { Deadlines, Waiting } from '../deadlines.ts'
import { lastAnswer } from '../proxy/answer.ts'
import { type Inbound, readInbound } from '../proxy/inbound.ts'
import { Outbox } from '../proxy/outbox.ts'
import type { Router } from '../proxy/router.ts'
import { type Carrier, Http1Visit } from './http1-visit.ts'
import { HEAD_BYTES, IDLE_MS, STALL_MS } from './limits.ts'

export interface Http1Deps {
  readonly router: Router
  readonly clock: Clock
  readonly deadlines: Deadlines
  readonly secure: boolean
  /** Whether the gateway is about to end: then nothing more is taken. */
  closing(): boolean
}

/** Bounds of a request's head. */
const LIMITS: HeadLimits = { bytes: HEAD_BYTES, fields: 100 }
/** A head that is not complete is given up after this time, in ms. */
const HEAD_MS = 30_000
/** The next part of a body. */
const BODY_MS = 60_000
/** What a client still sends after a last answer is thrown away for so long: a reset could reach it before the answer. */
const LINGER_MS = 2_000
const NEVER = Number.POSITIVE_INFINITY
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'
/** Empty lines before a request are let go of (RFC 9112, 2.2). */
const CR = 0x0d
const LF = 0x0a
const BARE_LINE_FEED = /(?<!\r)\n/

const isWebSocket = ({ method, minor, upgrade, connection, length, chunked }: RequestHead) =>
  method === 'GET' &&
  minor === 1 &&
  upgrade === 'websocket' &&
  connection.includes('upgrade') &&
  length === undefined &&
  !chunked

export class Http1Connection implements Waiting, Carrier {
  readonly socket: Socket
  readonly out: Outbox
  deadline = NEVER
  readonly #deps: Http1Deps
  readonly #client: string
  /** Of a head that is not complete, or what has come after a request that is not answered yet. */
  #held: Buffer | undefined
  #visit: Http1Visit | undefined
  /** Of the request under way: absent where all of it is read. */
  #body: BodyReader | undefined
  #head: RequestHead | undefined
  #taker: BodyTaker | undefined
  /** A part of a head has come, and its time runs. */
  #inHead = false
  /** Whoever takes the body is to be waited for. */
  #blocked = false
  /** Nothing more is read or answered. */
  #over = false

  constructor(socket: Socket, deps: Http1Deps) {
    this.socket = socket
    this.#deps = deps
    this.out = new Outbox(socket)
    this.#client = unmapped(socket.remoteAddress ?? '')
    this.#wait(HEAD_MS)
    deps.deadlines.add(this)
    socket.on('data', this.#heard)
    socket.on('end', this.#gone)
    socket.on('drain', this.#drained)
    socket.on('close', this.#closed)
  }

  /** The gateway ends: what is idle is closed, and so is a WebSocket. Other connections end with their answer. */
  wind(): void {
    if (this.#visit === undefined) this.socket.destroy()
  }

  get stays(): boolean {
    return !this.#deps.closing() && this.#head !== undefined && staysOpen(this.#head) && this.#body === undefined
  }

  now(): number {
    return this.#deps.clock.now()
  }

  take(taker: BodyTaker): void {
    this.#taker = taker
    if (this.#head?.expect === '100-continue' && !this.#held?.length) this.socket.write(CONTINUE)
    this.#goOn()
  }

  pause(): void {
    this.#blocked = true
    this.deadline = NEVER
    this.socket.pause()
  }

  resume(): void {
    this.#blocked = false
    if (this.#body) this.#wait(BODY_MS)
    this.socket.resume()
  }

  flush(): boolean {
    const isTaken = this.out.flush()
    if (!isTaken) this.#wait(STALL_MS)
    return isTaken
  }

  answered(stays: boolean): void {
    this.out.flush()
    this.#visit = undefined
    this.#taker = undefined
    this.#blocked = false
    if (!stays || this.#body || this.#deps.closing()) {
      this.#linger()
      return
    }
    this.#head = undefined
    this.#wait(IDLE_MS)
    // Not here: the next one may be answered at once, and so on.
    if (this.#held?.length) process.nextTick(() => this.#goOn())
    else this.socket.resume()
  }

  release(): Buffer | undefined {
    this.#over = true
    this.#visit = undefined
    this.#deps.deadlines.delete(this)
    this.socket.off('data', this.#heard).off('end', this.#gone).off('drain', this.#drained).off('close', this.#closed)
    return this.#held
  }

  late(): void {
    const isAnswered = this.#visit?.status !== undefined
    const isIdle = this.#visit === undefined && !this.#held
    if (this.#over || isAnswered || isIdle) this.socket.destroy()
    else this.#refuse(408)
  }

  #wait(ms: number) {
    this.deadline = this.#deps.clock.elapsed() + ms
  }

  #heard = (chunk: Buffer) => {
    if (this.#over) return
    const all = this.#held ? Buffer.concat([this.#held, chunk]) : chunk
    this.#held = undefined
    this.#read(all)
  }

  #goOn() {
    const held = this.#held
    this.#held = undefined
    if (held) this.#read(held)
    // What is held with nothing under way is a head that goes on.
    const mustWait = this.#blocked || (this.#visit && this.#held)
    if (!mustWait && !this.#over) this.socket.resume()
  }

  #read(chunk: Buffer) {
    try {
      let rest: Buffer | undefined = chunk
      while (rest?.length && !this.#over) {
        if (!this.#visit) rest = this.#readHead(rest)
        else if (this.#body && this.#taker) rest = this.#readBody(rest)
        else rest = this.#hold(rest)
      }
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      this.#refuse(error.status)
    }
  }

  /** Keeps what cannot be read yet, and has the client wait. */
  #hold(chunk: Buffer): undefined {
    this.#held = this.#held ? Buffer.concat([this.#held, chunk]) : chunk
    this.socket.pause()
  }

  #readBody(chunk: Buffer): Buffer | undefined {
    this.#wait(BODY_MS)
    return this.#body!.read(chunk)
  }

  #readHead(chunk: Buffer): Buffer | undefined {
    let start = 0
    while (chunk[start] === CR && chunk[start + 1] === LF) start += 2
    const begun = start ? chunk.subarray(start) : chunk
    const end = endOfHead(begun, LIMITS)
    if (end < 0) {
      if (BARE_LINE_FEED.test(begun.toString('latin1', 0, begun.length))) throw new Malformed('a bare line feed')
      if (!begun.length) return undefined
      // However slowly it goes on, it does not get more time.
      if (!this.#inHead) this.#wait(HEAD_MS)
      this.#inHead = true
      this.#held = begun
      return undefined
    }
    this.#inHead = false
    const head = readRequestHead(begun.toString('latin1', 0, end), LIMITS)
    if (head.expect !== undefined && head.expect !== '100-continue') throw new Malformed('an expectation', 417)
    const rest = begun.subarray(end + HEAD_END.length)
    this.#begin(head, rest)
    return undefined
  }

  #begin(head: RequestHead, rest: Buffer) {
    const framing = framingOfRequest(head)
    const visit = new Http1Visit(this, this.#inboundOf(head), head.minor)
    this.deadline = NEVER
    this.#head = head
    this.#visit = visit
    this.#body =
      framing.kind === 'none'
        ? undefined
        : bodyReader(
            framing,
            {
              data: data => this.#taker?.data(data),
              end: trailers => {
                this.#body = undefined
                this.deadline = NEVER
                this.#taker?.end(trailers)
              },
            },
            LIMITS,
          )
    // Where it is taken at once, it is read from here.
    if (rest.length) this.#held = rest
    this.#deps.router(visit)
    if (this.#held?.length && this.#visit) this.socket.pause()
  }

  #inboundOf(head: RequestHead): Inbound {
    const { method, target, hosts, fields, length = 0, chunked } = head
    return readInbound({
      ...{ method, target, hosts, fields, length },
      body: chunked ? 'unsized' : length ? 'sized' : 'none',
      upgrade: isWebSocket(head),
      secure: this.#deps.secure,
      client: this.#client,
    })
  }

  /** Ends the connection with an answer that belongs to no route. */
  #refuse(status: number) {
    const visit = this.#visit
    this.#visit = undefined
    const begun = visit?.status !== undefined
    visit?.lost(status)
    if (begun) {
      this.socket.destroy()
      return
    }
    this.out.text(lastAnswer(status))
    this.out.flush()
    this.#linger()
  }

  /** Ends it so that its last answer is read. */
  #linger() {
    this.#over = true
    this.#held = undefined
    this.#wait(LINGER_MS)
    this.socket.end()
    this.socket.resume()
  }

  /** The client ends: nobody reads an answer any more. */
  #gone = () => {
    if (this.#over || this.#visit) this.socket.destroy()
    else this.socket.end()
  }

  #drained = () => {
    this.deadline = this.#body && this.#taker ? this.#deps.clock.elapsed() + BODY_MS : NEVER
    this.#visit?.events.drained?.()
  }

  #closed = () => {
    this.#over = true
    this.#deps.deadlines.delete(this)
    const visit = this.#visit
    this.#visit = undefined
    visit?.lost(undefined)
  }
}
