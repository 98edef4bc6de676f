/**
 * Tokens of other issuers (OpenID Connect, KEP-3331): verified with the issuer's keys, and mapped to users as the
 * configuration says. Loaded only where there is one.
 */
import { hash } from 'node:crypto'
import { compactVerify, createLocalJWKSet, type JSONWebKeySet, type JWTHeaderParameters } from 'jose'
import type { Clock } from '../../../lib/clock.ts'
import { showList } from '../../authorization/rbac/rules.ts'
import type { TokenAuthenticator, UserInfo } from '../authenticator.ts'
import type { AuthenticationConfiguration, JwtAuthenticator } from '../configuration.ts'
import { unverifiedClaims } from '../jwt.ts'
import { type Claims, userOf } from './claims.ts'
import { createFetchJson, type FetchJson } from './fetch-json.ts'
import { type IssuerKeys, openIssuerKeys } from './keys.ts'
import { type Compiled, checkConfiguration } from './rules.ts'

export interface OidcDeps {
  readonly clock: Clock
  /** Issuers of the server's own tokens: they cannot be configured. */
  readonly ownIssuers: readonly string[]
  /** How an issuer is asked; default: by HTTPS. */
  fetchFor?(authenticator: JwtAuthenticator): FetchJson
}

/** What upstream supports; never `none`, and nothing with a shared secret. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512']
/** Clocks may differ by this much where a token says from when on it is good, ms. */
const LEEWAY_MS = 5 * 60_000
/** A token that was good is not verified again for so long, ms. */
const REMEMBER_MS = 60_000
const KNOWN_LIMIT = 10_000

const seconds = (value: unknown): number => (typeof value === 'number' ? value * 1000 : 0)

function checkClaims({ issuer }: JwtAuthenticator, claims: Claims, now: number): void {
  const audiences = (Array.isArray(claims.aud) ? claims.aud : [claims.aud]).filter(each => typeof each === 'string')
  if (!issuer.audiences.some(audience => audiences.includes(audience)))
    throw new Error(`oidc: expected audience in ${showList(issuer.audiences)} got ${showList(audiences)}`)
  const end = seconds(claims.exp)
  if (end < now) throw new Error(`oidc: token is expired (Token Expiry: ${new Date(end).toISOString()})`)
  const start = seconds(claims.nbf)
  if (start - LEEWAY_MS > now)
    throw new Error(
      `oidc: current time ${new Date(now).toISOString()} before the nbf (not before) time: ${new Date(start).toISOString()}`,
    )
}

function headerOf(token: string): JWTHeaderParameters {
  try {
    return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString('utf8'))
  } catch {
    throw new Error('oidc: malformed jwt')
  }
}

/** Tries the keys that may be meant one after the other: an issuer may have several without names. */
async function verify(token: string, set: JSONWebKeySet): Promise<Claims> {
  const { alg, kid } = headerOf(token)
  if (!ALGORITHMS.includes(alg))
    throw new Error(
      `oidc: id token signed with unsupported algorithm, expected ${showList(ALGORITHMS)} got ${JSON.stringify(alg)}`,
    )
  for (const key of set.keys) {
    if (kid !== undefined && key.kid !== undefined && key.kid !== kid) continue
    try {
      const { payload } = await compactVerify(token, createLocalJWKSet({ keys: [key] }), { algorithms: ALGORITHMS })
      return JSON.parse(Buffer.from(payload).toString('utf8'))
    } catch {}
  }
  throw new Error('failed to verify signature: failed to verify id token signature')
}

interface Known {
  readonly user: UserInfo
  readonly claims: Claims
  /** By the clock nobody sets. */
  readonly until: number
}

/** Runs `step`; its Error says that it was the token that was wrong. */
async function verifying<T>(step: () => T | Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    throw new Error(`oidc: verify token: ${(error as Error).message}`, { cause: error })
  }
}

function issuerAuthenticator(
  authenticator: JwtAuthenticator,
  compiled: Compiled,
  keys: IssuerKeys,
  clock: Clock,
): TokenAuthenticator {
  const known = new Map<string, Known>()
  const current = (key: string) => {
    const found = known.get(key)
    return found && found.until > clock.elapsed() ? found : undefined
  }
  const read = async (token: string, key: string): Promise<Known> => {
    const claims = await verifying(async () => {
      const found = await verify(token, await keys.get(headerOf(token).kid))
      checkClaims(authenticator, found, clock.now())
      return found
    })
    // Others that came with it at once get the same user.
    const before = current(key)
    if (before) return before
    const found = { claims, user: userOf(authenticator, compiled, claims), until: clock.elapsed() + REMEMBER_MS }
    if (known.size >= KNOWN_LIMIT) known.clear()
    known.set(key, found)
    return found
  }
  return async token => {
    const key = hash('sha256', token, 'base64')
    const { claims, user } = current(key) ?? (await read(token, key))
    await verifying(() => checkClaims(authenticator, claims, clock.now()))
    return { user }
  }
}

/**
 * Makes the authenticator of all issuers of a configuration. Throws an Error that lists what is wrong with it. No
 * issuer is asked before one of its tokens comes.
 */
export function oidcTokens(configuration: AuthenticationConfiguration, deps: OidcDeps): TokenAuthenticator {
  const { compiled, errors } = checkConfiguration(configuration, deps.ownIssuers)
  if (errors.length) throw new Error(errors.map(({ field, message }) => `${field}: ${message}`).join(', '))
  const { clock } = deps
  const fetchFor =
    deps.fetchFor ??
    (({ issuer: { certificateAuthority: authority } }: JwtAuthenticator) =>
      createFetchJson({ clock, ...(authority && { authority }) }))
  const byIssuer = new Map(
    (configuration.jwt ?? []).map((authenticator, i) => {
      const keys = openIssuerKeys(authenticator.issuer, fetchFor(authenticator), clock)
      return [authenticator.issuer.url, issuerAuthenticator(authenticator, compiled[i]!, keys, clock)] as const
    }),
  )
  return (token, audiences) => {
    const issuer = unverifiedClaims(token)?.iss
    return typeof issuer === 'string' ? byIssuer.get(issuer)?.(token, audiences) : undefined
  }
}
