/** Which headers go on to another server, and which end here (RFC 9110, section 7.6.1). */
import { HOP_BY_HOP, namesOfConnection } from '../../lib/hop-by-hop.ts'

export type ProxyHeaders = Record<string, string | string[]>

/** Who asks is this server's to say: what the client wrote would be taken for it. */
const isIdentity = (name: string) =>
  name === 'authorization' || name.startsWith('x-remote-') || name.startsWith('impersonate-')

/** The headers of a message without those of its connection, HTTP/2's pseudo-headers among them. */
export function endToEnd(headers: Readonly<Record<string, string | string[] | undefined>>): ProxyHeaders {
  const extra = new Set(namesOfConnection(String(headers.connection ?? '')))
  const kept: ProxyHeaders = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(':') || HOP_BY_HOP.has(name) || extra.has(name)) continue
    kept[name] = value
  }
  return kept
}

/**
 * What a request's headers are to the server behind: without credentials, and with the client's address added to
 * `X-Forwarded-For`.
 */
export function forwardedHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  address: string | undefined,
): ProxyHeaders {
  const kept = endToEnd(headers)
  for (const name of Object.keys(kept)) if (isIdentity(name)) delete kept[name]
  // A proxy that waits for `100 Continue` of its own has been answered already.
  delete kept.expect
  const host = headers.host ?? headers[':authority']
  if (host !== undefined) kept.host = host
  if (address) {
    const before = kept['x-forwarded-for']
    kept['x-forwarded-for'] = before ? `${before}, ${address}` : address
  }
  return kept
}
