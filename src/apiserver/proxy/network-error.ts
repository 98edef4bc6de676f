/** Failures of the network in the words that clients of Kubernetes know: those of Go's `net` and `crypto/tls`. */
import { hostPort } from '../../lib/host-port.ts'

const SYSTEM: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
}

const TLS: Readonly<Record<string, string>> = {
  SELF_SIGNED_CERT_IN_CHAIN: 'x509: certificate signed by unknown authority',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'x509: certificate signed by unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'x509: certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT: 'x509: certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'x509: certificate signed by unknown authority',
  CERT_SIGNATURE_FAILURE: 'x509: certificate signed by unknown authority',
  CERT_HAS_EXPIRED: 'x509: certificate has expired or is not yet valid',
  CERT_NOT_YET_VALID: 'x509: certificate has expired or is not yet valid',
}

interface NetworkError extends Error {
  /** Of the system or of Node; a status's own is a number, and says nothing of the network. */
  readonly code?: string | number
  readonly address?: string
  readonly port?: number
  readonly hostname?: string
  /** The name that a certificate is not for, and the certificate. */
  readonly host?: string
  readonly cert?: { readonly subjectaltname?: string }
  readonly errors?: readonly Error[]
}

/** The names and addresses of a certificate, as Go lists them. */
const validFor = (names = '') =>
  names
    .split(', ')
    .map(each => each.replace(/^(DNS|IP Address):/, ''))
    .join(', ')

/** The sentence for an error of a connection, e.g. `dial tcp 10.0.0.1:80: connect: connection refused`. */
export function networkErrorText(error: Error): string {
  const { code: known, message, address, port, hostname, host, cert, errors } = error as NetworkError
  const code = typeof known === 'string' ? known : ''
  if (errors?.[0]) return networkErrorText(errors[0])
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `dial tcp: lookup ${hostname}: no such host`
  if (SYSTEM[code] && address) return `dial tcp ${hostPort(address, port ?? 0)}: ${SYSTEM[code]}`
  if (code === 'ECONNRESET' || code === 'EPIPE' || message === 'socket hang up') return 'EOF'
  const verify = 'tls: failed to verify certificate: '
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `${verify}x509: certificate is valid for ${validFor(cert?.subjectaltname)}, not ${host}`
  if (TLS[code]) return `${verify}${TLS[code]}`
  if (code === 'EPROTO' || code.startsWith('ERR_SSL'))
    return /wrong.version.number|packet length|http request/i.test(message)
      ? 'http: server gave HTTP response to HTTPS client'
      : `tls: ${message}`
  return message || code
}
