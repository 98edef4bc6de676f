/** Fields as HTTP/1.1 has them, names and values by turns, and as Node has those of HTTP/2. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2'
import type { Fields } from '../../lib/http1/head.ts'

/** Without pseudo-headers. A cookie that comes in pieces is one (RFC 9113, 8.2.3): Node puts it together. */
export function fieldsOf(headers: IncomingHttpHeaders): string[] {
  const fields: string[] = []
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':') || value === undefined) continue
    for (const each of Array.isArray(value) ? value : [value]) fields.push(name, each)
  }
  return fields
}

/** With names in lower case; one that stands more than once has all its values. */
export function headersOf(fields: Fields): OutgoingHttpHeaders {
  // Without a prototype: `constructor` is a name that a client may send.
  const headers: Record<string, string | string[]> = Object.create(null)
  for (let at = 0; at < fields.length; at += 2) {
    const [name, value] = [fields[at]!.toLowerCase(), fields[at + 1]!]
    const before = headers[name]
    headers[name] = before === undefined ? value : [before, value].flat()
  }
  return headers
}
