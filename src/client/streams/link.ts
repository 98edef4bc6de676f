/** A connection as a stream of bytes both ways, whatever carries it: a socket, or WebSocket messages. */
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

export interface Link {
  /** What the other side sends, in order; ends with the connection. Never rejects. To be read once. */
  readonly incoming: AsyncIterable<Buffer>
  /** Resolves when the connection takes more: back-pressure. Resolves at once after the end. */
  write(...chunks: readonly Uint8Array[]): Promise<void>
  /** Sends what is written and ends the connection. */
  close(): void
  /** Aborts when the connection is gone. */
  readonly signal: AbortSignal
}

/** How long a closed connection may be idle before it is cut, in ms. */
const CLOSE_TIMEOUT = 30_000

/** Writes to a stream and waits while it is full. */
export function writeTo(stream: Duplex, ...chunks: readonly Uint8Array[]): Promise<void> {
  if (stream.destroyed || stream.writableEnded) return Promise.resolve()
  if (chunks.length > 1) stream.cork()
  let free = true
  for (const chunk of chunks) free = stream.write(chunk)
  if (chunks.length > 1) stream.uncork()
  if (free) return Promise.resolve()
  return new Promise(resolve => {
    const done = () => {
      stream.off('drain', done)
      stream.off('close', done)
      resolve()
    }
    stream.on('drain', done)
    stream.on('close', done)
  })
}

/** Aborts when a stream closes or fails; takes the error, which then ends nobody else. */
export function closing(stream: Duplex): AbortSignal {
  const gone = new AbortController()
  stream.on('error', () => gone.abort())
  stream.on('close', () => gone.abort())
  if (stream.destroyed) gone.abort()
  return gone.signal
}

async function* bytesOf(socket: Duplex, head: Buffer): AsyncGenerator<Buffer, void> {
  if (head.length) yield head
  try {
    for await (const chunk of socket) yield chunk as Buffer
  } catch {
    // A connection that broke ends like one that was closed; `signal` says so.
  }
}

/** The link over a socket. `head` is what was read beyond the upgrade request. */
export function socketLink(socket: Duplex, head: Buffer): Link {
  const signal = closing(socket)
  return {
    incoming: bytesOf(socket, head),
    write: (...chunks) => writeTo(socket, ...chunks),
    close: () => {
      if (socket.destroyed) return
      socket.end()
      // The other side may take its time to read what was sent, and not for ever.
      if (socket instanceof Socket) socket.setTimeout(CLOSE_TIMEOUT, () => socket.destroy())
    },
    signal,
  }
}
