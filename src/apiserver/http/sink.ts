/** Where an answer goes: one shape for HTTP/1.1 and HTTP/2. */
import type { ServerResponse } from 'node:http'
import { constants, type ServerHttp2Stream } from 'node:http2'

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

/** Resolves when the chunk was handed on, or the stream is gone and nobody will read it. */
function written(stream: ServerHttp2Stream | ServerResponse, chunk: Buffer): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      stream.removeListener('close', done)
      resolve()
    }
    stream.on('close', done)
    stream.write(chunk, done)
  })
}

function untilDrained(stream: ServerHttp2Stream | ServerResponse): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      stream.removeListener('drain', done)
      stream.removeListener('close', done)
      resolve()
    }
    stream.on('drain', done)
    stream.on('close', done)
  })
}

/** For an HTTP/2 stream. */
export function http2Sink(stream: ServerHttp2Stream, headOnly: boolean): Sink {
  let sent = 0
  // HTTP/2 sends heads at once.
  const head = (status: number, headers: Headers) => {
    if (stream.closed || stream.destroyed) return
    stream.respond({ ':status': status, ...headers }, headOnly ? { endStream: true } : undefined)
  }
  return {
    head,
    headNow: head,
    write(chunk) {
      sent += chunk.length
      return stream.closed || stream.destroyed || headOnly || stream.write(chunk)
    },
    written(chunk) {
      sent += chunk.length
      return stream.closed || stream.destroyed || headOnly ? Promise.resolve() : written(stream, chunk)
    },
    drained: () => (stream.closed || stream.destroyed ? Promise.resolve() : untilDrained(stream)),
    end(chunk) {
      sent += chunk?.length ?? 0
      if (!stream.closed && !stream.destroyed && !headOnly) stream.end(chunk)
    },
    cut() {
      if (!stream.closed && !stream.destroyed) stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    },
    get sent() {
      return sent
    },
    get closed() {
      return stream.closed || stream.destroyed
    },
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
