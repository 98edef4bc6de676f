/** Headers that end at the next server, and are not handed on (RFC 9110, section 7.6.1). Names in lower case. */

/** About one connection, not about the message, or about the proxy that is spoken to. */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
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

/** Names that a `Connection` header declares to be of the connection, too. */
export const namesOfConnection = (header: string): string[] => header.split(',').map(each => each.trim().toLowerCase())
