/** The protobuf wire format (protobuf.dev/programming-guides/encoding), as far as Kubernetes' messages use it. */

const utf8 = new TextDecoder('utf-8', { fatal: false })
const encoder = new TextEncoder()

/** Reads one message's bytes from front to back. Throws `RangeError` for bytes that end early. */
export class WireReader {
  readonly bytes: Uint8Array
  position: number
  end: number
  #depth = 0

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes
    this.position = start
    this.end = end
  }

  get done(): boolean {
    return this.position >= this.end
  }

  #byte(): number {
    if (this.position >= this.end) throw new RangeError('unexpected end of a protobuf message')
    return this.bytes[this.position++]!
  }

  /** The number and wire type of the next field. Throws for what is no field. */
  tag(): number {
    const tag = this.varint()
    if (tag < 8 || tag > 0xffff_ffff) throw new RangeError(`proto: illegal tag ${tag >>> 3} (wire type ${tag & 7})`)
    return tag
  }

  /** Steps into a nested message: `done` is then its end. Give what this returns to `leave`. Throws beyond `maxDepth`. */
  enter(maxDepth: number): number {
    const length = this.varint()
    const outer = this.end
    const end = this.position + length
    if (length < 0 || end > outer) throw new RangeError('a length in a protobuf message reaches beyond its end')
    if (++this.#depth > maxDepth) throw new RangeError(`a protobuf message is nested more than ${maxDepth} deep`)
    this.end = end
    return outer
  }

  leave(outer: number): void {
    this.position = this.end
    this.end = outer
    this.#depth--
  }

  /** A varint as a number; 64-bit values are signed, and exact up to 2^53. */
  varint(): number {
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte()
      low += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return low
    }
    let value = BigInt(low)
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return Number(BigInt.asIntN(64, value))
    }
    throw new RangeError('a varint of a protobuf message is longer than ten bytes')
  }

  /** The extent of a length-delimited value; the reader stands behind it afterwards. */
  span(): { start: number; end: number } {
    const length = this.varint()
    const start = this.position
    if (length < 0 || start + length > this.end)
      throw new RangeError('a length in a protobuf message reaches beyond its end')
    this.position = start + length
    return { start, end: start + length }
  }

  string(): string {
    const { start, end } = this.span()
    // Short ASCII, which nearly all is, costs less by hand.
    if (end - start < 24) {
      let text = ''
      for (let at = start; at < end; at++) {
        const code = this.bytes[at]!
        if (code > 0x7f) return utf8.decode(this.bytes.subarray(start, end))
        text += String.fromCharCode(code)
      }
      return text
    }
    return utf8.decode(this.bytes.subarray(start, end))
  }

  double(): number {
    if (this.position + 8 > this.end) throw new RangeError('unexpected end of a protobuf message')
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.position, 8)
    this.position += 8
    return view.getFloat64(0, true)
  }

  #pass(bytes: number): void {
    this.position += bytes
    if (this.position > this.end) throw new RangeError('unexpected end of a protobuf message')
  }

  /** Passes over a field that is not known. */
  skip(wireType: number): void {
    if (wireType === 0) this.varint()
    else if (wireType === 1) this.#pass(8)
    else if (wireType === 2) this.span()
    else if (wireType === 5) this.#pass(4)
    else throw new RangeError(`a protobuf message has a field of wire type ${wireType}`)
  }
}

/** Writes a message from front to back. Nested messages are written in place and their length is put before them. */
export class WireWriter {
  #bytes = new Uint8Array(1024)
  #length = 0

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }

  varint(value: number): void {
    this.#room(10)
    if (value < 0 || value > 0xffff_ffff) {
      let rest = BigInt.asUintN(64, BigInt(Math.trunc(value)))
      while (rest > 0x7fn) {
        this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80
        rest >>= 7n
      }
      this.#bytes[this.#length++] = Number(rest)
      return
    }
    let rest = value
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#length++] = rest
  }

  tag(number: number, wireType: number): void {
    this.varint(number * 8 + wireType)
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  bytesField(number: number, bytes: Uint8Array): void {
    this.tag(number, 2)
    this.varint(bytes.length)
    this.raw(bytes)
  }

  stringField(number: number, text: string): void {
    this.tag(number, 2)
    this.delimited(() => {
      this.#room(text.length * 3)
      this.#length += encoder.encodeInto(text, this.#bytes.subarray(this.#length)).written
    })
  }

  double(value: number): void {
    this.#room(8)
    new DataView(this.#bytes.buffer).setFloat64(this.#length, value, true)
    this.#length += 8
  }

  /** Writes what `fill` writes, behind its length. */
  delimited(fill: () => void): void {
    // One byte is enough for most lengths; what is longer is moved.
    this.#room(1)
    const at = this.#length++
    fill()
    const length = this.#length - at - 1
    let size = 1
    for (let rest = length; rest > 0x7f; rest = Math.floor(rest / 128)) size++
    if (size > 1) {
      this.#room(size)
      this.#bytes.copyWithin(at + size, at + 1, this.#length)
    }
    this.#length = at
    this.varint(length)
    this.#length = at + size + length
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }
}
