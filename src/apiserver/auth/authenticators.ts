/** Who asks: by client certificate or by a service account's token. */
import { hash } from 'node:crypto'
import { unauthorized } from '../../api/machinery/status-error.ts'
import { certificateSubject } from '../../lib/pki/subject.ts'
import type { Authenticator, UserInfo } from './auth.ts'
import type { ServiceAccountTokens } from './service-account-tokens.ts'

const AUTHENTICATED = 'system:authenticated'
/** Users that are remembered by their certificate. */
const KNOWN_LIMIT = 10_000

/** Users of client certificates: the common name is the user, each organization a group. TLS has verified them. */
export function clientCertificates(): Authenticator {
  const known = new Map<string, UserInfo>()
  return ({ certificate }) => {
    if (!certificate) return undefined
    const key = hash('sha256', certificate, 'hex')
    const before = known.get(key)
    if (before) return before
    const { commonName, organizations } = certificateSubject(certificate)
    if (!commonName) return undefined
    const user: UserInfo = {
      name: commonName,
      groups: [...organizations, AUTHENTICATED],
      extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${key}`] },
    }
    if (known.size >= KNOWN_LIMIT) known.clear()
    known.set(key, user)
    return user
  }
}

/** Users of `Authorization: Bearer` headers. A token that is not good is refused, never taken for anonymous. */
export function bearerTokens(tokens: ServiceAccountTokens): Authenticator {
  return async ({ authorization }) => {
    const token = /^Bearer\s+(.+)$/i.exec(authorization ?? '')?.[1]?.trim()
    if (!token) return undefined
    try {
      return (await tokens.check(token)).user
    } catch (cause) {
      throw Object.assign(unauthorized(), { cause })
    }
  }
}
