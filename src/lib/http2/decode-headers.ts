/** Reading blocks of headers as HPACK packs them (RFC 7541). */
import { COMPRESSION_ERROR, ConnectionFault } from './fault.ts'
import { DynamicTable, STATIC_TABLE, sizeOf } from './header-table.ts'
import { decodeHuffman } from './huffman.ts'

/** What this end tells the other that it may use, in bytes: the default, which is never said to be another. */
const TABLE_LIMIT = 4096

const broken = (what: string) => new ConnectionFault(COMPRESSION_ERROR, `a block of headers ${what}`)

/** The state of one direction of a connection: every block must be read, in order, whatever becomes of its stream. */
export class HeaderDecoder {
  readonly #table = new DynamicTable(TABLE_LIMIT)
  #at = 0

  /**
   * Names and values in turn, as they were sent, up to `limit` bytes as the standard counts them; undefined where there
   * are more. Throws ConnectionFault for what is no block.
   */
  decode(block: Buffer, limit: number): string[] | undefined {
    const list: string[] = []
    let size = 0
    this.#at = 0
    while (this.#at < block.length) {
      const first = block[this.#at]!
      let name: string
      let value: string
      if (first & 0x80) {
        ;({ name, value } = this.#field(this.#integer(block, 0x7f)))
      } else if ((first & 0xe0) === 0x20) {
        if (list.length > 0) throw broken('resizes its table behind a header')
        const wanted = this.#integer(block, 0x1f)
        if (wanted > TABLE_LIMIT) throw broken('wants a table that is too large')
        this.#table.resize(wanted)
        continue
      } else {
        const isKept = (first & 0xc0) === 0x40
        const index = this.#integer(block, isKept ? 0x3f : 0x0f)
        name = index ? this.#field(index).name : this.#string(block)
        value = this.#string(block)
        if (isKept) this.#table.add({ name, value })
      }
      size += sizeOf(name, value)
      if (size <= limit) list.push(name, value)
    }
    return size > limit ? undefined : list
  }

  #field(index: number) {
    const field =
      index <= STATIC_TABLE.length ? STATIC_TABLE[index - 1] : this.#table.at(index - STATIC_TABLE.length - 1)
    if (!field) throw broken(`names entry ${index}, which is not there`)
    return field
  }

  /** An integer whose first bits are those under `mask` (section 5.1). */
  #integer(block: Buffer, mask: number): number {
    let value = block[this.#at++]! & mask
    if (value < mask) return value
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = block[this.#at++]
      if (byte === undefined) break
      value += (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw broken('has a number that does not end, or is too large')
  }

  #string(block: Buffer): string {
    if (this.#at >= block.length) throw broken('ends too early')
    const isPacked = block[this.#at]! >= 0x80
    const length = this.#integer(block, 0x7f)
    const start = this.#at
    const end = start + length
    if (end > block.length) throw broken('has a string that reaches beyond its end')
    this.#at = end
    return isPacked ? decodeHuffman(block, start, end) : block.toString('latin1', start, end)
  }
}
