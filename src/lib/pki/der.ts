/**
 * Writing ASN.1 in its distinguished encoding (X.690): the few types that certificates are made of. Every function
 * gives a whole element, tag and length included.
 */
import { isIPv4 } from 'node:net'

/** An element of any tag around `parts`. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const size: number[] = []
  for (let left = content.length; left > 0; left = Math.floor(left / 256)) size.unshift(left % 256)
  const length = content.length < 128 ? [content.length] : [0x80 | size.length, ...size]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}

export const sequence = (...parts: readonly Uint8Array[]) => element(0x30, ...parts)
export const set = (...parts: readonly Uint8Array[]) => element(0x31, ...parts)
export const octets = (content: Uint8Array) => element(0x04, content)
export const utf8 = (text: string) => element(0x0c, Buffer.from(text))
export const TRUE = element(0x01, Buffer.from([0xff]))

/** An integer from its bytes, which are taken as a number without a sign. */
export function unsigned(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex(byte => byte !== 0)
  const digits = first < 0 ? Buffer.from([0]) : bytes.subarray(first)
  return element(0x02, ...(digits[0]! >= 0x80 ? [Buffer.from([0])] : []), digits)
}

/** A string of bits; the last `unused` of them do not count. */
export const bits = (content: Uint8Array, unused = 0) => element(0x03, Buffer.from([unused]), content)

/** A set of named bits by their numbers, e.g. key usages. */
export function namedBits(numbers: readonly number[]): Buffer {
  const last = Math.max(...numbers)
  const content = Buffer.alloc((last >> 3) + 1)
  for (const number of numbers) content[number >> 3]! |= 0x80 >> (number & 7)
  return bits(content, 7 - (last & 7))
}

/** An object identifier from its dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second, ...rest].flatMap(part => {
    const septets = [part % 128]
    for (let left = Math.floor(part / 128); left > 0; left = Math.floor(left / 128))
      septets.unshift(0x80 | (left % 128))
    return septets
  })
  return element(0x06, Buffer.from(bytes))
}

/** A moment in ms since the epoch, to the second, in the form that RFC 5280 wants for its year. */
export function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\.\d+|[-:T]/g, '')
  return ms < Date.UTC(2050, 0) ? element(0x17, Buffer.from(digits.slice(2))) : element(0x18, Buffer.from(digits))
}

/** The 4 or 16 bytes of an address. */
export function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  const dotted = /(?<=:)\d+\.\d+\.\d+\.\d+$/.exec(address)?.[0]
  const hex = dotted ? address.slice(0, -dotted.length) + hexGroups(addressBytes(dotted)) : address
  const [head = [], tail = []] = hex.split('::').map(side => side.split(':').filter(Boolean))
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail]
  return Buffer.from(groups.map(group => group.padStart(4, '0')).join(''), 'hex')
}

const hexGroups = (four: Buffer) => four.toString('hex').replace(/^(.{4})/, '$1:')

/** Where the elements inside the one that begins at `at` are, as [begin, end) pairs. */
export function childrenOf(bytes: Uint8Array, at = 0): readonly (readonly [number, number])[] {
  const [inside, end] = extent(bytes, at)
  const found: [number, number][] = []
  for (let next = inside; next < end; next = found.at(-1)![1]) found.push([next, extent(bytes, next)[1]])
  return found
}

/** Where the content of the element at `at` begins and ends. Throws where its length leaves the bytes. */
function extent(bytes: Uint8Array, at: number): [number, number] {
  const first = bytes[at + 1] ?? 0
  const more = first < 0x80 ? 0 : first & 0x7f
  let length = more ? 0 : first
  for (let i = 0; i < more; i++) length = length * 256 + (bytes[at + 2 + i] ?? 0)
  const begin = at + 2 + more
  if (begin + length > bytes.length) throw new Error(`the element at byte ${at} is longer than what holds it`)
  return [begin, begin + length]
}
