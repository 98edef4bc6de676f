/**
 * Writes a message from its end to its beginning: when the length of a nested message is due, it is known. Fields are
 * therefore written in reverse, and within a field the value before its tag.
 */
import { Buffer } from 'node:buffer'

/** Texts longer than this are left to the platform. */
const BY_HAND = 48
/** A buffer that grew beyond this for one large object is not kept. */
const KEPT = 1 << 20

/** One writer is used again and again; see `take`. */
export class BackWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(16 << 10)
  /** Where the message begins so far. */
  #at = this.#bytes.length

  /** Bytes written so far. */
  get length(): number {
    return this.#bytes.length - this.#at
  }

  #room(more: number): void {
    if (this.#at >= more) return
    const old = this.#bytes
    const size = Math.max(old.length * 2, old.length + more)
    const grown = Buffer.allocUnsafeSlow(size)
    const moved = size - (old.length - this.#at)
    old.copy(grown, moved, this.#at)
    this.#bytes = grown
    this.#at = moved
  }

  byte(value: number): void {
    this.#room(1)
    this.#bytes[--this.#at] = value
  }

  /** Whole numbers; negative ones as 64-bit two's complement. */
  varint(value: number): void {
    if (value >= 0 && value < 0x80) this.byte(value)
    else if (value >= 0 && value <= 0x7fff_ffff) this.#small(value)
    else this.#large(BigInt.asUintN(64, BigInt(Math.trunc(value))))
  }

  #small(value: number): void {
    const size = value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5
    this.#room(size)
    const bytes = this.#bytes
    let at = (this.#at -= size)
    let rest = value
    for (; rest > 0x7f; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80
    bytes[at] = rest
  }

  #large(value: bigint): void {
    const digits: number[] = []
    let rest = value
    for (; rest > 0x7fn; rest >>= 7n) digits.push(Number(rest & 0x7fn) | 0x80)
    digits.push(Number(rest))
    for (let at = digits.length - 1; at >= 0; at--) this.byte(digits[at]!)
  }

  /** UTF-8, without its length. */
  text(text: string): void {
    const { length } = text
    if (length <= BY_HAND) {
      this.#room(length)
      const bytes = this.#bytes
      let at = this.#at
      let index = length - 1
      for (; index >= 0; index--) {
        const code = text.charCodeAt(index)
        if (code > 0x7f) break
        bytes[--at] = code
      }
      if (index < 0) {
        this.#at = at
        return
      }
    }
    const size = Buffer.byteLength(text)
    this.#room(size)
    this.#at -= size
    this.#bytes.write(text, this.#at, size)
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#at -= bytes.length
    this.#bytes.set(bytes, this.#at)
  }

  double(value: number): void {
    this.#room(8)
    this.#at -= 8
    this.#bytes.writeDoubleLE(value, this.#at)
  }

  /** A length-delimited text with its tag. */
  textField(tag: number, text: string): void {
    const before = this.length
    this.text(text)
    this.varint(this.length - before)
    this.varint(tag)
  }

  /** A copy of what was written; the writer is empty afterwards. */
  take(): Buffer {
    const result = Buffer.from(this.#bytes.subarray(this.#at))
    this.clear()
    return result
  }

  clear(): void {
    if (this.#bytes.length > KEPT) this.#bytes = Buffer.allocUnsafeSlow(16 << 10)
    this.#at = this.#bytes.length
  }
}
