/**
 * The keys of an issuer (OpenID Connect Discovery, RFC 7517): found when its first token comes, and looked for again
 * when a token names a key that is not among them. Nothing polls.
 */
import type { JSONWebKeySet } from 'jose'
import type { Clock } from '../../../lib/clock.ts'
import type { Issuer } from '../configuration.ts'
import type { FetchJson } from './fetch-json.ts'

export interface IssuerKeys {
  /**
   * The issuer's keys; with `kid`, those that hold it where the issuer has it at all. Rejects with an Error that says
   * what cannot be had.
   */
  get(kid: string | undefined): Promise<JSONWebKeySet>
}

const WELL_KNOWN = '/.well-known/openid-configuration'
/** An issuer is not asked more often than this, whatever tokens come, ms. */
const COOLDOWN_MS = 10_000
const MAX_KEYS = 100

interface Discovered {
  readonly issuer?: unknown
  readonly jwks_uri?: unknown
}

function keySet(value: unknown): JSONWebKeySet {
  const { keys } = (value ?? {}) as { keys?: unknown }
  if (!Array.isArray(keys)) throw new Error('oidc: the keys of the issuer are no JSON Web Key Set')
  if (keys.length > MAX_KEYS) throw new Error(`oidc: the issuer has more than ${MAX_KEYS} keys`)
  return { keys: keys.filter(key => typeof key === 'object' && key !== null) }
}

/** Opens the keys of an issuer. Nothing is asked before a token needs it. */
export function openIssuerKeys({ url, discoveryURL }: Issuer, fetch: FetchJson, clock: Clock): IssuerKeys {
  const base = (discoveryURL ?? url).replace(/\/+$/, '')
  const configuration = base.endsWith(WELL_KNOWN) ? base : `${base}${WELL_KNOWN}`
  let address: string | undefined
  let kept: JSONWebKeySet | undefined
  let asked: number | undefined
  let running: Promise<JSONWebKeySet> | undefined
  let failure: unknown

  const discover = async (): Promise<string> => {
    const found = (await fetch(configuration)) as Discovered
    if (found?.issuer !== url)
      throw new Error(
        `oidc: issuer did not match the issuer returned by provider, expected ${JSON.stringify(url)} got ${JSON.stringify(found?.issuer ?? '')}`,
      )
    const { jwks_uri } = found
    if (typeof jwks_uri !== 'string' || !URL.canParse(jwks_uri) || new URL(jwks_uri).protocol !== 'https:')
      throw new Error(`oidc: the issuer names no https URL of its keys: ${JSON.stringify(jwks_uri)}`)
    return jwks_uri
  }
  const load = async (): Promise<JSONWebKeySet> => {
    address ??= await discover()
    return keySet(await fetch(address))
  }
  /** Asks the issuer, once for all who wait. */
  const refresh = (): Promise<JSONWebKeySet> => {
    asked = clock.elapsed()
    running ??= load()
      .then(
        found => {
          failure = undefined
          kept = found
          return found
        },
        error => {
          // Where the keys are may have changed as well.
          address = undefined
          failure = error
          throw error
        },
      )
      .finally(() => {
        running = undefined
      })
    return running
  }
  const isCold = () => asked === undefined || clock.elapsed() - asked >= COOLDOWN_MS

  return {
    async get(kid) {
      if (running) await running.catch(() => {})
      const has = (set: JSONWebKeySet) => kid === undefined || set.keys.some(key => key.kid === kid)
      if (kept && (has(kept) || !isCold())) return kept
      if (!kept && !isCold()) throw failure
      try {
        return await refresh()
      } catch (error) {
        // Keys that were good are good while the issuer is away.
        if (kept) return kept
        throw error
      }
    },
  }
}
