/** What goes out on a connection of HTTP/1.1: small pieces are put together, so that most messages cost one write. */
import type { Duplex } from 'node:stream'

/** Chunks up to this size, in bytes, are copied; larger ones are handed on as they are. */
const SMALL = 8192
/** More than this is not put together. */
const FULL = 32_768

export class Outbox {
  readonly #socket: Duplex
  #text = ''

  constructor(socket: Duplex) {
    this.#socket = socket
  }

  /** Whether there is nothing to send. */
  get isEmpty(): boolean {
    return this.#text === ''
  }

  /** Adds characters of Latin-1. */
  text(text: string): void {
    this.#text += text
  }

  /** Adds bytes. */
  bytes(chunk: Buffer): void {
    if (chunk.length <= SMALL) {
      this.#text += chunk.toString('latin1', 0, chunk.length)
      if (this.#text.length > FULL) this.flush()
    } else {
      this.flush()
      this.#socket.write(chunk)
    }
  }

  /** Sends what there is; false: the other side is to be waited for. */
  flush(): boolean {
    if (this.#text) {
      const text = this.#text
      this.#text = ''
      this.#socket.write(text, 'latin1')
    }
    return !this.#socket.writableNeedDrain
  }
}

/** A chunk of a body of unknown length (RFC 9112, 7.1). */
export function writeChunk(outbox: Outbox, chunk: Buffer): void {
  outbox.text(`${chunk.length.toString(16)}\r\n`)
  outbox.bytes(chunk)
  outbox.text('\r\n')
}

/** The end of such a body. */
export function writeLastChunk(outbox: Outbox, trailers: readonly string[]): void {
  outbox.text(`0\r\n${linesOf(trailers)}\r\n`)
}

/** Fields, names and values by turns, as lines. */
export function linesOf(fields: readonly string[]): string {
  let text = ''
  for (let at = 0; at < fields.length; at += 2) text += `${fields[at]}: ${fields[at + 1]}\r\n`
  return text
}
