/** Which headers go on to another server, and which end here (RFC 9110, section 7.6.1). */

export type ProxyHeaders = Record<string, string | string[]>

/** About one connection, not about the message. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Who asks is this server's to say: what the client wrote would be taken for it. */
const isIdentity = (name: string) =>
  name === 'authorization' || name.startsWith('x-remote-') || name.startsWith('impersonate-')

/** Names that a `Connection` header declares to be of the connection too. */
const named = (value: string | string[] | undefined) =>
  new Set(
    String(value ?? '')
      .split(',')
      .map(each => each.trim().toLowerCase()),
  )

/** The headers of a message without those of its connection, HTTP/2's pseudo-headers among them. */
export function endToEnd(headers: Readonly<Record<string, string | string[] | undefined>>): ProxyHeaders {
  const extra = named(headers.connection)
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
