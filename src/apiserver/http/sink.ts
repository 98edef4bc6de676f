/** Where an answer goes: one shape for HTTP/1.1 and HTTP/2. */
import type { ServerResponse } from 'node:http'
import { INTERNAL_ERROR } from '../../lib/http2/fault.ts'
import type { ServerStream } from '../../lib/http2/stream.ts'

export type Headers = Record<string, string | string[]>

export interface Sink {
  /** Sends status and headers. Once, and first. */
  head(status: number, headers: Headers): void
  /** As `head`, and lets nothing wait for a body that may be long in coming: a client of a watch learns that it stands. */
  headNow(status: number, headers: Headers): void
  /** False: wait for `drained` before writing more. */
  write(chunk: Buffer | string): boolean
  /** Writes, and resolves when the chunk's memory may be used for something else. */
  written(chunk: Buffer): Promise<void>
  /** Resolves when there is room again, or the client has gone. */
  drained(): Promise<void>
  end(chunk?: Buffer | string): void
  /** Breaks the answer off, so that the client can tell. */
  cut(): void
  /** Bytes of the body that were written. */
  readonly sent: number
  /** The client has gone or the answer was ended. */
  readonly closed: boolean
}

/** Resolves when the chunk was handed on, or the connection is gone and nobody will read it. */
function written(response: ServerResponse, chunk: Buffer): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      response.removeListener('close', done)
      resolve()
    }
    response.on('close', done)
    response.write(chunk, done)
  })
}

function untilDrained(response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      response.removeListener('drain', done)
      response.removeListener('close', done)
      resolve()
    }
    response.on('drain', done)
    response.on('close', done)
  })
}

const bytesOf = (chunk: Buffer | string) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk)

/** Statuses whose answers have no body. */
const BODILESS = new Set([204, 205, 304])

/** For an HTTP/2 stream. `date` is what the header of that name says. */
export class Http2Sink implements Sink {
  sent = 0
  readonly #stream: ServerStream
  readonly #headOnly: boolean
  readonly #date: () => string

  constructor(stream: ServerStream, headOnly: boolean, date: () => string) {
    this.#stream = stream
    this.#headOnly = headOnly
    this.#date = date
  }

  head(status: number, headers: Headers) {
    headers.date ??= this.#date()
    this.#stream.respond(status, headers, this.#headOnly || BODILESS.has(status))
  }

  // HTTP/2 sends heads at once.
  headNow(status: number, headers: Headers) {
    this.head(status, headers)
  }

  write(chunk: Buffer | string) {
    this.sent += chunk.length
    this.#stream.write(bytesOf(chunk))
    return this.#stream.isDrained
  }

  written(chunk: Buffer): Promise<void> {
    this.sent += chunk.length
    return new Promise(resolve => this.#stream.write(chunk, resolve))
  }

  drained(): Promise<void> {
    return new Promise(resolve => this.#stream.whenDrained(resolve))
  }

  end(chunk?: Buffer | string) {
    this.sent += chunk?.length ?? 0
    this.#stream.end(chunk === undefined ? undefined : bytesOf(chunk))
  }

  cut() {
    this.#stream.reset(INTERNAL_ERROR)
  }

  get closed() {
    return this.#stream.closed || this.#stream.ended
  }
}

/** For an HTTP/1.1 answer. Node leaves the body of answers to HEAD away by itself. */
export function http1Sink(response: ServerResponse): Sink {
  let sent = 0
  const closed = () => response.destroyed || response.writableEnded || response.socket?.destroyed === true
  return {
    head(status, headers) {
      if (!closed()) response.writeHead(status, headers)
    },
    headNow(status, headers) {
      if (!closed()) response.writeHead(status, headers).flushHeaders()
    },
    write(chunk) {
      sent += chunk.length
      return closed() || response.write(chunk)
    },
    written(chunk) {
      sent += chunk.length
      return closed() ? Promise.resolve() : written(response, chunk)
    },
    drained: () => (closed() ? Promise.resolve() : untilDrained(response)),
    end(chunk) {
      sent += chunk?.length ?? 0
      if (!closed()) response.end(chunk)
    },
    cut() {
      response.destroy()
    },
    get sent() {
      return sent
    },
    get closed() {
      return closed()
    },
  }
}
