/**
 * DER, the binary form of ASN.1 (ITU-T X.690), as far as X.509 certificates and PKCS #10 requests need it: a writer
 * of a few functions and a reader that walks. Signing and checking are node:crypto's.
 */

/** One value read: its tag byte, its content, and where it stood. */
export interface DerNode {
  readonly tag: number
  readonly content: Buffer
  /** Tag, length and content together: what signatures cover. */
  readonly whole: Buffer
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  sequence: 0x30,
  set: 0x31,
} as const

/** One tagged value of the given contents. */
export function der(tag: number, ...contents: Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  const { length } = content
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content])
  const digits = Buffer.from(length.toString(16).padStart(length > 0xffff ? 6 : length > 0xff ? 4 : 2, '0'), 'hex')
  return Buffer.concat([Buffer.of(tag, 0x80 | digits.length), digits, content])
}

export const sequence = (...contents: Uint8Array[]) => der(TAG.sequence, ...contents)
export const set = (...contents: Uint8Array[]) => der(TAG.set, ...contents)
export const boolean = (value: boolean) => der(TAG.boolean, Buffer.of(value ? 0xff : 0))
export const octetString = (content: Uint8Array) => der(TAG.octetString, content)
export const utf8 = (text: string) => der(TAG.utf8, Buffer.from(text))
/** `unused` is the number of bits at the end that do not count. */
export const bitString = (content: Uint8Array, unused = 0) => der(TAG.bitString, Buffer.of(unused), content)

/** A non-negative integer, big-endian. */
export function integer(bytes: Uint8Array): Buffer {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start++
  const digits = bytes.subarray(start)
  return der(TAG.integer, digits[0]! & 0x80 ? Buffer.of(0) : Buffer.alloc(0), digits)
}

/** An object identifier in dotted form. */
export function oid(dotted: string): Buffer {
  const [first, second, ...rest] = dotted.split('.').map(Number)
  const bytes: number[] = []
  for (const arc of [first! * 40 + second!, ...rest]) {
    const groups = [arc & 0x7f]
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80)
    bytes.push(...groups)
  }
  return der(TAG.oid, Buffer.from(bytes))
}

/** A time, to the second: UTCTime before 2050, GeneralizedTime after (RFC 5280, 4.1.2.5). */
export function time(ms: number): Buffer {
  const text = `${new Date(ms).toISOString().replace(/\.\d+|[-:T]/g, '')}`
  return text < '2050' ? der(0x17, Buffer.from(text.slice(2))) : der(0x18, Buffer.from(text))
}

/** The value that begins at `offset`. Throws RangeError for what is cut short or not DER. */
export function readDer(bytes: Buffer, offset = 0): DerNode {
  const tag = bytes[offset]
  let length = bytes[offset + 1]
  let start = offset + 2
  if (tag === undefined || length === undefined) throw new RangeError('DER value is cut short')
  if (length & 0x80) {
    const digits = length & 0x7f
    if (digits === 0 || digits > 4) throw new RangeError(`DER length of ${digits} bytes is not supported`)
    if (start + digits > bytes.length) throw new RangeError('DER length is cut short')
    length = bytes.readUIntBE(start, digits)
    start += digits
  }
  if (start + length > bytes.length) throw new RangeError('DER value is cut short')
  return { tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(offset, start + length) }
}

/** The values inside a constructed one, in order. */
export function children(node: DerNode): DerNode[] {
  const result: DerNode[] = []
  for (let at = 0; at < node.content.length; ) {
    const next = readDer(node.content, at)
    result.push(next)
    at += next.whole.length
  }
  return result
}
