/** Takes the body of a message out of the bytes of a connection, as its framing says it (RFC 9112, sections 6 and 7). */
import { endOfHead, type Fields, type Framing, HEAD_END, type HeadLimits, readTrailers } from './head.ts'
import { Malformed } from './malformed.ts'

/** Who gets a body. */
export interface BodyTaker {
  data(chunk: Buffer): void
  end(trailers: Fields): void
}

export interface BodyReader {
  /**
   * Takes bytes; returns what comes after the body, where it has ended (it may be empty), else undefined. Throws
   * `Malformed`.
   */
  read(chunk: Buffer): Buffer | undefined
}

const NOTHING = Buffer.alloc(0)
const NO_FIELDS: Fields = []
const CR = 0x0d
const LF = 0x0a
/** A line with the size of a chunk is no longer than this. */
const SIZE_LINE = 256
/** Extensions are let go of: nobody knows any. */
const SIZE =
  /^([0-9A-Fa-f]{1,12})(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"[\x20!\x23-\x5b\x5d-\x7e]*"))?)*$/

function sized(bytes: number, taker: BodyTaker): BodyReader {
  let left = bytes
  return {
    read(chunk) {
      if (chunk.length < left) {
        left -= chunk.length
        taker.data(chunk)
        return undefined
      }
      const rest = chunk.subarray(left)
      if (left > 0) taker.data(rest.length ? chunk.subarray(0, left) : chunk)
      left = 0
      taker.end(NO_FIELDS)
      return rest
    },
  }
}

/** Where the chunks are: before a size, in data, after it, or in what comes after the last. */
type Place = 'size' | 'data' | 'after' | 'trailers'

class Chunks implements BodyReader {
  readonly #taker: BodyTaker
  readonly #limits: HeadLimits
  #place: Place = 'size'
  /** Of the chunk. */
  #left = 0
  /** Of a line that is not complete. */
  #begun: Buffer = NOTHING

  constructor(taker: BodyTaker, limits: HeadLimits) {
    this.#taker = taker
    this.#limits = limits
  }

  /** What has begun, with what goes on; it is nothing begun any more. */
  #withBegun(chunk: Buffer): Buffer {
    const all = this.#begun.length ? Buffer.concat([this.#begun, chunk]) : chunk
    this.#begun = NOTHING
    return all
  }

  /** Takes a line up to its end; undefined where that is not there yet. */
  #line(chunk: Buffer, most: number): { text: string; rest: Buffer } | undefined {
    const all = this.#withBegun(chunk)
    const end = all.indexOf(LF)
    if (end > most || (end < 0 && all.length > most)) throw new Malformed('a line that is too long', 431)
    if (end < 0) {
      this.#begun = all
      return undefined
    }
    if (end === 0 || all[end - 1] !== CR) throw new Malformed('a bare line feed')
    return { text: all.toString('latin1', 0, end - 1), rest: all.subarray(end + 1) }
  }

  #size(chunk: Buffer): Buffer | undefined {
    const line = this.#line(chunk, SIZE_LINE)
    if (!line) return undefined
    const [, digits] = SIZE.exec(line.text) ?? []
    if (!digits) throw new Malformed('a size of a chunk that is none')
    this.#left = Number.parseInt(digits, 16)
    this.#place = this.#left ? 'data' : 'trailers'
    return line.rest
  }

  #data(chunk: Buffer): Buffer | undefined {
    if (chunk.length < this.#left) {
      this.#left -= chunk.length
      this.#taker.data(chunk)
      return undefined
    }
    this.#taker.data(chunk.subarray(0, this.#left))
    this.#place = 'after'
    return chunk.subarray(this.#left)
  }

  #after(chunk: Buffer): Buffer | undefined {
    const all = this.#withBegun(chunk)
    if (all[0] !== CR || (all.length > 1 && all[1] !== LF)) throw new Malformed('a chunk that is longer than it says')
    if (all.length < 2) {
      this.#begun = all
      return undefined
    }
    this.#place = 'size'
    return all.subarray(2)
  }

  /** All lines up to a blank one; returns what comes after that. */
  #trailers(chunk: Buffer): Buffer | undefined {
    const all = this.#withBegun(chunk)
    if (all.length >= 2 && all[0] === CR && all[1] === LF) {
      this.#taker.end(NO_FIELDS)
      return all.subarray(2)
    }
    const end = endOfHead(all, this.#limits)
    if (end < 0) {
      this.#begun = all
      return undefined
    }
    this.#taker.end(readTrailers(all.toString('latin1', 0, end), this.#limits))
    return all.subarray(end + HEAD_END.length)
  }

  read(chunk: Buffer): Buffer | undefined {
    let rest: Buffer | undefined = chunk
    while (rest?.length) {
      if (this.#place === 'trailers') return this.#trailers(rest)
      if (this.#place === 'size') rest = this.#size(rest)
      else if (this.#place === 'data') rest = this.#data(rest)
      else rest = this.#after(rest)
    }
    return undefined
  }
}

/** Reads until there is nothing more; the caller knows when that is. */
const untilClose = (taker: BodyTaker): BodyReader => ({
  read(chunk) {
    taker.data(chunk)
    return undefined
  },
})

/** Makes what reads a body. One that has none is not read. */
export function bodyReader(framing: Framing, taker: BodyTaker, limits: HeadLimits): BodyReader {
  if (framing.kind === 'chunked') return new Chunks(taker, limits)
  return framing.kind === 'close' ? untilClose(taker) : sized(framing.kind === 'sized' ? framing.bytes : 0, taker)
}
