/** Writing blocks of headers (RFC 7541). What is said again and again is said once and then named by a number. */
import { DynamicTable, STATIC_TABLE, sizeOf } from './header-table.ts'

/** Bytes of headers that the other end is made to remember. */
const TABLE_LIMIT = 4096
/** Said in full each time: no two answers have the same. */
const PASSING = new Set(['content-length', 'etag', 'location', 'warning', 'audit-id'])
/** Secrets must not be guessed from lengths of packed headers, and have no place in tables. */
const NEVER = new Set(['set-cookie'])

const staticNames = new Map<string, number>()
const staticStatuses = new Map<number, number>()
STATIC_TABLE.forEach(({ name, value }, at) => {
  if (!staticNames.has(name)) staticNames.set(name, at + 1)
  if (name === ':status') staticStatuses.set(Number(value), at + 1)
})

/** Byte 0 of a header by its index; of one that is remembered; of one that is not, or never may be. */
const INDEXED = 0x80
const KEPT = 0x40
const NOT_KEPT = 0x00
const NEVER_KEPT = 0x10

/** The state of one direction of a connection. */
export class HeaderEncoder {
  readonly #table = new DynamicTable(TABLE_LIMIT, ({ name }, number) => {
    if (this.#newest.get(name)?.number === number) this.#newest.delete(name)
  })
  /** The newest field of each name that is in the table: its value, and the how-manieth it was. */
  readonly #newest = new Map<string, { readonly value: string; readonly number: number }>()
  #bytes = Buffer.allocUnsafeSlow(1024)
  #length = 0
  /** A limit that the other end has not been told to use yet. */
  #resized = false

  /** The most that the other end wants to remember. */
  limit(bytes: number) {
    const limit = Math.min(bytes, TABLE_LIMIT)
    if (limit === this.#table.limit) return
    this.#table.resize(limit)
    this.#resized = true
  }

  /** The block of an answer's headers, good until the next one is made. Names are in lower case. */
  encode(status: number, headers: Readonly<Record<string, string | readonly string[]>>): Buffer {
    this.#length = 0
    if (this.#resized) {
      this.#resized = false
      this.#integer(0x20, 0x1f, this.#table.limit)
    }
    const fixed = staticStatuses.get(status)
    if (fixed) this.#integer(INDEXED, 0x7f, fixed)
    else this.#header(':status', String(status))
    for (const name of Object.keys(headers)) {
      const value = headers[name]!
      if (typeof value === 'string') this.#header(name, value)
      else for (const each of value) this.#header(name, each)
    }
    return this.#bytes.subarray(0, this.#length)
  }

  #header(name: string, value: string) {
    if (PASSING.has(name)) return this.#literal(NOT_KEPT, 0x0f, name, value)
    if (NEVER.has(name)) return this.#literal(NEVER_KEPT, 0x0f, name, value)
    const known = this.#newest.get(name)
    if (known?.value === value) {
      return this.#integer(INDEXED, 0x7f, STATIC_TABLE.length + this.#table.added - known.number)
    }
    // What would drive everything else out of the table is not worth it.
    if (sizeOf(name, value) * 4 > this.#table.limit) return this.#literal(NOT_KEPT, 0x0f, name, value)
    this.#literal(KEPT, 0x3f, name, value)
    this.#newest.set(name, { value, number: this.#table.added })
    this.#table.add({ name, value })
  }

  #literal(kind: number, mask: number, name: string, value: string) {
    const index = staticNames.get(name) ?? 0
    this.#integer(kind, mask, index)
    if (!index) this.#string(name)
    this.#string(value)
  }

  #room(more: number) {
    if (this.#length + more <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(2 * (this.#length + more))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }

  #integer(kind: number, mask: number, value: number) {
    this.#room(6)
    if (value < mask) {
      this.#bytes[this.#length++] = kind | value
      return
    }
    this.#bytes[this.#length++] = kind | mask
    let rest = value - mask
    for (; rest >= 0x80; rest >>>= 7) this.#bytes[this.#length++] = (rest & 0x7f) | 0x80
    this.#bytes[this.#length++] = rest
  }

  #string(text: string) {
    this.#integer(0, 0x7f, text.length)
    this.#room(text.length)
    this.#length += this.#bytes.write(text, this.#length, 'latin1')
  }
}
