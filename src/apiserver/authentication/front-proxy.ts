/**
 * Users that a proxy in front has authenticated and names in headers (Kubernetes documentation, "Authenticating
 * Proxy"). The proxy proves itself by a certificate of an authority of its own.
 */
import { hash, X509Certificate } from 'node:crypto'
import { certificateSubject } from '../../lib/pki/subject.ts'
import { dropHeaders, headerValues, prefixedHeaders } from '../http/headers.ts'
import type { Authenticator, Credentials, UserInfo } from './authenticator.ts'

/** The `--requestheader-…` settings of kube-apiserver. */
export interface FrontProxyOptions {
  /** PEM of the authorities of proxies. */
  readonly authority: string
  /** Common names that proxies may have; any where empty. */
  readonly allowedNames: readonly string[]
  readonly usernameHeaders: readonly string[]
  readonly uidHeaders: readonly string[]
  readonly groupHeaders: readonly string[]
  readonly extraHeaderPrefixes: readonly string[]
}

/** The names of headers that Kubernetes' own components use. */
export const FRONT_PROXY_HEADERS = {
  usernameHeaders: ['X-Remote-User'],
  uidHeaders: ['X-Remote-Uid'],
  groupHeaders: ['X-Remote-Group'],
  extraHeaderPrefixes: ['X-Remote-Extra-'],
} as const

/** SHA-256 fingerprints (`AB:CD:…`) of the certificates in a PEM bundle. Throws for what is none. */
export function fingerprints(bundle: string): string[] {
  const found = bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)
  if (!found) throw new Error('a bundle of certificates in PEM was expected, and none was found')
  return found.map(pem => new X509Certificate(pem).fingerprint256)
}

const lower = (names: readonly string[]) => names.map(name => name.trim().toLowerCase())

/** Users that are remembered, so that decisions about them are kept. */
const KNOWN_LIMIT = 1000

/** Makes the authenticator. It takes the headers that it understood off the request. */
export function frontProxy(options: FrontProxyOptions): Authenticator {
  const authorities = new Set(fingerprints(options.authority))
  const [usernames, uids, groups, prefixes] = [
    lower(options.usernameHeaders),
    lower(options.uidHeaders),
    lower(options.groupHeaders),
    lower(options.extraHeaderPrefixes),
  ]
  const own = new Set([...usernames, ...uids, ...groups])
  const first = (credentials: Credentials, names: readonly string[]) =>
    names.flatMap(name => headerValues(credentials, name)).find(value => value !== '')
  const known = new Map<string, UserInfo>()

  const sameValue = (user: UserInfo): UserInfo => {
    const key = hash('sha256', JSON.stringify(user), 'base64')
    const before = known.get(key)
    if (before) return before
    if (known.size >= KNOWN_LIMIT) known.clear()
    known.set(key, user)
    return user
  }

  return credentials => {
    const { certificate } = credentials
    if (!certificate || certificate.problem || !authorities.has(certificate.authority ?? '')) return undefined
    const { commonName } = certificateSubject(certificate.raw)
    if (options.allowedNames.length && !options.allowedNames.includes(commonName))
      throw new Error(`x509: subject with cn=${commonName} is not in the allowed list`)
    const name = first(credentials, usernames)
    if (!name) return undefined
    const uid = first(credentials, uids)
    const extra: Record<string, string[]> = {}
    for (const prefix of prefixes)
      for (const [key, values] of Object.entries(prefixedHeaders(credentials, prefix)))
        extra[key] = [...(extra[key] ?? []), ...values]
    const user: UserInfo = {
      name,
      ...(uid && { uid }),
      groups: groups.flatMap(header => headerValues(credentials, header)).filter(group => group !== ''),
      ...(Object.keys(extra).length && { extra }),
    }
    dropHeaders(credentials, header => own.has(header) || prefixes.some(prefix => header.startsWith(prefix)))
    return sameValue(user)
  }
}
