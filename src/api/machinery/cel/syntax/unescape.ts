const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '`': '`',
  '?': '?',
}
const LENGTHS: Readonly<Record<string, number>> = { x: 2, X: 2, u: 4, U: 8 }

/**
 * What a quoted literal stands for: `"a\n"`, `r'\d'`, `'''…'''`. Bytes are UTF-8, with `\x` and octal escapes as
 * single bytes.
 *
 * @returns the string or bytes, or an error such as an escape that is no character.
 */
export function unescapeLiteral(literal: string, bytes: boolean): string | Uint8Array | { error: string } {
  const normal = literal.replace(/\r\n?/g, '\n')
  const raw = /^[rR]/.test(normal)
  const quoted = raw ? normal.slice(1) : normal
  const triple = quoted.length >= 6 && (quoted.startsWith('"""') || quoted.startsWith("'''"))
  const body = triple ? quoted.slice(3, -3) : quoted.slice(1, -1)
  if (raw || !body.includes('\\')) return bytes ? new TextEncoder().encode(body) : body
  return bytes ? escapedBytes(body) : escapedString(body)
}

function escapedString(body: string): string | { error: string } {
  let out = ''
  for (let at = 0; at < body.length; ) {
    const found = body[at] === '\\' ? escapeAt(body, at) : undefined
    if (found === undefined) {
      out += body[at++]
      continue
    }
    if (found.code > 0x10ffff || (found.code >= 0xd800 && found.code <= 0xdfff))
      return { error: 'invalid unicode code point' }
    out += String.fromCodePoint(found.code)
    at += found.length
  }
  return out
}

function escapedBytes(body: string): Uint8Array | { error: string } {
  const out: number[] = []
  const encoder = new TextEncoder()
  for (let at = 0; at < body.length; ) {
    const found = body[at] === '\\' ? escapeAt(body, at) : undefined
    if (found === undefined) {
      const character = String.fromCodePoint(body.codePointAt(at) as number)
      out.push(...encoder.encode(character))
      at += character.length
      continue
    }
    if (body[at + 1] === 'u' || body[at + 1] === 'U') return { error: 'unable to unescape string' }
    out.push(found.code & 0xff)
    at += found.length
  }
  return new Uint8Array(out)
}

function escapeAt(body: string, at: number): { code: number; length: number } {
  const kind = body[at + 1] as string
  const simple = SIMPLE[kind]
  if (simple !== undefined) return { code: simple.charCodeAt(0), length: 2 }
  const digits = LENGTHS[kind]
  if (digits === undefined) return { code: Number.parseInt(body.slice(at + 1, at + 4), 8), length: 4 }
  return { code: Number.parseInt(body.slice(at + 2, at + 2 + digits), 16), length: 2 + digits }
}
