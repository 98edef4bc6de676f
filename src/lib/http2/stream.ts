/** One request and its answer on a connection: the server's end of a stream of HTTP/2. */
import { Readable } from 'node:stream'
import { CANCEL } from './fault.ts'
import type { HeaderObject } from './request-headers.ts'

export type AnswerHeaders = Readonly<Record<string, string | readonly string[]>>

/** What a stream needs of its connection. */
export interface Carrier {
  /** Writes an answer's head. */
  head(stream: ServerStream, status: number, headers: AnswerHeaders, end: boolean): void
  /** Sends what the windows and the socket allow of what the stream has to say. */
  send(stream: ServerStream): void
  /** The body has taken so many bytes: the client may send as many more. */
  consumed(stream: ServerStream, bytes: number): void
  reset(stream: ServerStream, code: number): void
  /** Both sides are done, or the stream was broken off. */
  closed(stream: ServerStream): void
}

/** Why a body ended before its time. */
export class RequestAborted extends Error {}

/** Takes the body of a request as it comes. */
export interface BodyTaker {
  /** False: it is not out of the way yet, and the taker will say so. */
  // biome-ignore lint/suspicious/noConfusingVoidType: most takers have nothing to say
  data(chunk: Buffer): boolean | void
  end(): void
  aborted(error: Error): void
}

const NOTHING = Buffer.alloc(0)

export class ServerStream {
  readonly id: number
  readonly headers: HeaderObject
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[]
  /** The client has said all that it has to say. */
  remoteEnded: boolean
  /** The answer was begun, and is complete. */
  responded = false
  ended = false
  /** Nothing can be sent any more, or needs to be. */
  closed = false
  /** How much may be sent; less than nothing where the client made its window smaller. */
  sendWindow: number
  /** How much the client may send, and how much was consumed since it was told. */
  receiveWindow: number
  credit = 0
  /** Chunks that wait for room, the first from `offset` on. */
  readonly pending: { readonly chunk: Buffer; readonly taken: (() => void) | undefined }[] = []
  offset = 0
  /** Called once when the stream is over. */
  onClose: (() => void) | undefined

  readonly #carrier: Carrier
  /** Bytes of the body that were announced and have not come. */
  #missing: number | undefined
  #waiting: Buffer[] = []
  #taker: BodyTaker | undefined
  #fault: Error | undefined
  #drained: (() => void)[] = []

  constructor(
    carrier: Carrier,
    id: number,
    { headers, rawHeaders, isWhole }: { headers: HeaderObject; rawHeaders: readonly string[]; isWhole: boolean },
    windows: { readonly send: number; readonly receive: number },
  ) {
    this.#carrier = carrier
    this.id = id
    this.headers = headers
    this.rawHeaders = rawHeaders
    this.remoteEnded = isWhole
    this.sendWindow = windows.send
    this.receiveWindow = windows.receive
    const announced = headers['content-length']
    if (announced !== undefined) this.#missing = /^\d{1,15}$/.test(String(announced)) ? Number(announced) : Number.NaN
  }

  /** The announced length is none, or not that of a request without a body. For a stream that is new. */
  get contradicts(): boolean {
    const missing = this.#missing
    return missing !== undefined && (!(missing >= 0) || (this.remoteEnded && missing !== 0))
  }

  /** Gives the body to who wants it; what came so far at once. */
  take(taker: BodyTaker) {
    this.#taker = taker
    const waiting = this.#waiting
    this.#waiting = []
    for (const chunk of waiting) this.#give(chunk)
    if (this.#fault) taker.aborted(this.#fault)
    else if (this.remoteEnded) taker.end()
  }

  /** Nobody wants the body, or the rest of it. */
  discard() {
    this.take({ data() {}, end() {}, aborted() {} })
  }

  /** The body as a stream that tells the client to wait where its reader is slow. */
  readable(): Readable {
    let held = 0
    const credit = () => {
      if (held > 0) this.#carrier.consumed(this, held)
      held = 0
    }
    const readable = new Readable({
      read: credit,
      destroy: (error, done) => {
        credit()
        this.discard()
        done(error)
      },
    })
    this.take({
      data(chunk) {
        held += chunk.length
        if (readable.push(chunk)) credit()
        return false
      },
      end: () => readable.push(null),
      aborted: error => readable.destroy(error),
    })
    return readable
  }

  #give(chunk: Buffer) {
    if (this.#taker!.data(chunk) !== false) this.#carrier.consumed(this, chunk.length)
  }

  /** A piece of the body has come. False where it is more than was announced. */
  receive(chunk: Buffer): boolean {
    if (this.#missing !== undefined) {
      this.#missing -= chunk.length
      if (this.#missing < 0) return false
    }
    if (this.#taker) this.#give(chunk)
    else this.#waiting.push(chunk)
    return true
  }

  /** The body is complete. False where it is less than was announced. */
  receiveEnd(): boolean {
    if (this.#missing) return false
    this.remoteEnded = true
    this.#taker?.end()
    if (this.ended && this.pending.length === 0) this.close()
    return true
  }

  respond(status: number, headers: AnswerHeaders, end = false) {
    if (this.closed || this.responded) return
    this.responded = true
    this.ended = end
    this.#carrier.head(this, status, headers, end)
    if (end && this.remoteEnded) this.close()
  }

  /**
   * Sends a piece of the answer, or puts it behind others that wait. `taken` is called when its memory may be used for
   * something else.
   */
  write(chunk: Buffer, taken?: () => void) {
    if (this.closed || this.ended) return taken?.()
    if (chunk.length === 0) return taken?.()
    this.pending.push({ chunk, taken })
    this.#carrier.send(this)
  }

  /** The answer is complete with this. */
  end(chunk: Buffer = NOTHING) {
    if (this.closed || this.ended) return
    this.ended = true
    this.pending.push({ chunk, taken: undefined })
    this.#carrier.send(this)
  }

  /** All that was written is on its way. */
  get isDrained(): boolean {
    return this.closed || this.pending.length === 0
  }

  /** Calls `done` when it is, or the stream is over. */
  whenDrained(done: () => void) {
    if (this.isDrained) done()
    else this.#drained.push(done)
  }

  /** Everything that waited was sent. */
  sent() {
    const drained = this.#drained
    if (drained.length > 0) {
      this.#drained = []
      for (const done of drained) done()
    }
    if (!this.ended || this.closed) return
    if (this.remoteEnded) this.close()
    else if (!this.#taker) this.discard()
  }

  /** Breaks the stream off, and tells the client. */
  reset(code = CANCEL) {
    if (!this.closed) this.#carrier.reset(this, code)
  }

  /** The stream is over; `fault` where it did not end by itself. */
  close(fault?: Error) {
    if (this.closed) return
    this.closed = true
    if (fault) {
      this.#fault = fault
      if (!this.remoteEnded) this.#taker?.aborted(fault)
    }
    for (const { taken } of this.pending.splice(0)) taken?.()
    for (const { length } of this.#waiting.splice(0)) this.#carrier.consumed(this, length)
    this.#carrier.closed(this)
    this.sent()
    this.onClose?.()
  }
}
