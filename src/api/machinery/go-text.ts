/** Numbers as Go prints them with %v: what stands in messages that clients match. */

/** A float64: the shortest text, with an exponent below 1e-4 and from 1e21 on. */
export function goNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return String(value)
  const size = Math.abs(value)
  if (size !== 0 && size < 1e-4) {
    const [mantissa = '', exponent = ''] = value.toExponential().split('e')
    return `${mantissa}e-${exponent.slice(1).padStart(2, '0')}`
  }
  return String(value)
}

const ESCAPES: Readonly<Record<string, string>> = { '\u0007': '\\a', '\u000b': '\\v' }

/** What JSON and Go escape in different ways: control characters, and what cannot be seen. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]|(?! )\p{Zs}/gu

/** A text in quotes, as %q. */
export function goQuoted(value: string): string {
  const text = JSON.stringify(value)
  // JSON has escaped what is below a space.
  const shown = text.includes('\\u') ? text.replace(/(?<!\\)((?:\\\\)*)\\u(00[01][0-9a-f])/g, fromJson) : text
  return shown.replace(UNPRINTABLE, found => {
    const code = found.codePointAt(0)!
    if (code < 0x80) return `\\x${code.toString(16)}`
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
  })
}

function fromJson(_found: string, before: string, hex: string): string {
  return before + (ESCAPES[String.fromCharCode(Number.parseInt(hex, 16))] ?? `\\x${hex.slice(2)}`)
}

/** How Go names the part of a document that says its type. */
export const GO_TYPE_META =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'

/** What Go's decoder calls the type of a JSON value. */
export function jsonType(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

/** A value read from JSON, as %+v: `map[a:[1 x] b:<nil>]`, keys in order, texts as they are. */
export function goPrinted(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (typeof value === 'number') return goNumber(value)
  if (Array.isArray(value)) return `[${value.map(goPrinted).join(' ')}]`
  if (typeof value !== 'object') return String(value)
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `map[${fields.map(([key, inner]) => `${key}:${goPrinted(inner)}`).join(' ')}]`
}
