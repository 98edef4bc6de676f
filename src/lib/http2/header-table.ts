/** The two tables that HPACK names headers by (RFC 7541, section 2.3): one for all, and one of what came before. */

export interface HeaderField {
  readonly name: string
  readonly value: string
}

const STATIC_TEXT =
  ':authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200|:status=204|:status=206|:status=304|:status=400|:status=404|:status=500|accept-charset|accept-encoding=gzip, deflate|accept-language|accept-ranges|accept|access-control-allow-origin|age|allow|authorization|cache-control|content-disposition|content-encoding|content-language|content-length|content-location|content-range|content-type|cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|if-unmodified-since|last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|server|set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate'

/** Entry 1 is the first. */
export const STATIC_TABLE: readonly HeaderField[] = STATIC_TEXT.split('|').map(text => {
  const cut = text.indexOf('=')
  return cut < 0 ? { name: text, value: '' } : { name: text.slice(0, cut), value: text.slice(cut + 1) }
})

/** What the standard counts for an entry beside its letters. */
const OVERHEAD = 32

/** Bytes that the standard counts for a header. */
export const sizeOf = (name: string, value: string) => name.length + value.length + OVERHEAD

/** Headers that came before, the newest first; the oldest go when they take too much. */
export class DynamicTable {
  /** In the order in which they came; those before `#first` are gone. */
  #fields: HeaderField[] = []
  #first = 0
  #size = 0
  #limit: number
  readonly #onGone: ((field: HeaderField, number: number) => void) | undefined
  /** How many were ever added; the next one's number. */
  added = 0

  /** `onGone` is told of each field that goes, and the how-manieth it was. */
  constructor(limit: number, onGone?: (field: HeaderField, number: number) => void) {
    this.#limit = limit
    this.#onGone = onGone
  }

  get length(): number {
    return this.#fields.length - this.#first
  }

  get limit(): number {
    return this.#limit
  }

  /** 0 is the newest. */
  at(index: number): HeaderField | undefined {
    return index >= this.length ? undefined : this.#fields[this.#fields.length - 1 - index]
  }

  add(field: HeaderField) {
    this.#fields.push(field)
    this.#size += sizeOf(field.name, field.value)
    this.added++
    this.#shrink()
  }

  /** Takes another limit, in bytes as `sizeOf` counts. */
  resize(limit: number) {
    this.#limit = limit
    this.#shrink()
  }

  #shrink() {
    while (this.#size > this.#limit) {
      const field = this.#fields[this.#first]!
      this.#onGone?.(field, this.added - this.length)
      this.#first++
      this.#size -= sizeOf(field.name, field.value)
    }
    if (this.#first > 64 && this.#first * 2 > this.#fields.length) {
      this.#fields = this.#fields.slice(this.#first)
      this.#first = 0
    }
  }
}
