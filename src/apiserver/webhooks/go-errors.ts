/**
 * How Go's network and TLS libraries word a failed call: administrators and tests know Kubernetes' webhook errors by
 * these sentences.
 */
import { hostPort } from '../../lib/host-port.ts'

interface NodeError extends Error {
  readonly code?: string
  readonly address?: string
  readonly port?: number
  readonly hostname?: string
  readonly cert?: { readonly subjectaltname?: string }
}

const UNKNOWN_AUTHORITY = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

const CONNECT: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
}

/** The names and addresses of a certificate, as Go lists them. */
const validFor = (names = '') =>
  names
    .split(', ')
    .map(each => each.replace(/^(DNS|IP Address):/, ''))
    .join(', ')

/** The sentence for what a connection, a handshake or a request failed with; `server` is the name that was expected. */
export function goError(error: unknown, server: string): string {
  const { code = '', message, address, port, hostname, cert } = error as NodeError
  const connect = CONNECT[code]
  if (connect && address !== undefined && port !== undefined) return `dial tcp ${hostPort(address, port)}: ${connect}`
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${hostname ?? server}: no such host`
  if (code === 'ECONNRESET' || message === 'socket hang up') return 'EOF'
  const verify = 'tls: failed to verify certificate: x509: '
  if (UNKNOWN_AUTHORITY.has(code)) return `${verify}certificate signed by unknown authority`
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return `${verify}certificate has expired or is not yet valid`
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `${verify}certificate is valid for ${validFor(cert?.subjectaltname)}, not ${server}`
  if (code === 'EPROTO' && /wrong.version.number/i.test(message))
    return 'http: server gave HTTP response to HTTPS client'
  return message || code
}
