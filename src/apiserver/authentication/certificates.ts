/** Users of client certificates: the common name is the user, each organization a group. TLS has verified them. */
import { hash, X509Certificate } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import { certificateSubject, certificateUids } from '../../lib/pki/subject.ts'
import type { Authenticator, ClientCertificate, UserInfo } from './authenticator.ts'

/** Users that are remembered by their certificate. */
const KNOWN_LIMIT = 10_000
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
const ANY_USAGE = '2.5.29.37.0'

/** When a certificate is good, in ms since the epoch. */
interface Validity {
  readonly from: number
  readonly to: number
}

interface Known extends Validity {
  /** undefined: it names nobody. */
  readonly user: UserInfo | undefined
}

/** Throws an Error for a certificate that may not be used by a client at `now`. */
function checkValidity({ from, to }: Validity, now: number): void {
  if (now > to) throw new Error('x509: certificate has expired or is not yet valid: the current time is after its end')
  if (now < from) throw new Error('x509: certificate has expired or is not yet valid: it is not valid yet')
}

function read(raw: Buffer): Known {
  const certificate = new X509Certificate(raw)
  const usages = certificate.keyUsage
  if (usages?.length && !usages.includes(CLIENT_AUTH) && !usages.includes(ANY_USAGE))
    throw new Error('x509: certificate specifies an incompatible key usage')
  const { commonName, organizations } = certificateSubject(raw)
  const uids = certificateUids(raw)
  const validity = { from: certificate.validFromDate.getTime(), to: certificate.validToDate.getTime() }
  if (!commonName) return { ...validity, user: undefined }
  if (uids.length > 1) throw new Error(`expected 1 UID, but found multiple: [${uids.join(' ')}]`)
  if (uids[0] === '') throw new Error('UID cannot be an empty string')
  const user: UserInfo = {
    name: commonName,
    ...(uids[0] && { uid: uids[0] }),
    groups: organizations,
    extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${hash('sha256', raw, 'hex')}`] },
  }
  return { ...validity, user }
}

/**
 * Makes the authenticator. A certificate is looked at again with every request: a connection may live longer than it.
 * `isClientAuthority` tells authorities of clients from others that TLS trusts too (the front proxy's).
 */
export function clientCertificates(
  clock: Pick<Clock, 'now'>,
  isClientAuthority: (fingerprint: string | undefined) => boolean = () => true,
): Authenticator {
  const known = new Map<string, Known>()
  /** All requests of a connection bring the same one. */
  const seen = new WeakMap<ClientCertificate, Known>()

  const lookUp = (certificate: ClientCertificate): Known => {
    const before = seen.get(certificate)
    if (before) return before
    const key = hash('sha256', certificate.raw, 'base64')
    const found = known.get(key) ?? read(certificate.raw)
    if (known.size >= KNOWN_LIMIT) known.clear()
    known.set(key, found)
    seen.set(certificate, found)
    return found
  }
  return ({ certificate }) => {
    if (!certificate) return undefined
    if (certificate.problem) throw new Error(`verifying the client's certificate failed: ${certificate.problem}`)
    if (!isClientAuthority(certificate.authority)) throw new Error('x509: certificate signed by unknown authority')
    const found = lookUp(certificate)
    checkValidity(found, clock.now())
    return found.user
  }
}
