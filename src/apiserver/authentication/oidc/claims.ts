/** From the claims of a verified token to a user, by claims' names or by expressions. */
import type { UserInfo } from '../authenticator.ts'
import type { JwtAuthenticator } from '../configuration.ts'
import { type Expression, stringsOf } from './expressions.ts'
import type { Compiled } from './rules.ts'

export type Claims = Readonly<Record<string, unknown>>

const CREDENTIAL_ID = 'authentication.kubernetes.io/credential-id'

/** Runs `step`; its Error says what was being done. */
function during<T>(what: string, step: () => T): T {
  try {
    return step()
  } catch (error) {
    throw new Error(`oidc: ${what}: ${(error as Error).message}`, { cause: error })
  }
}

function stringClaim(claims: Claims, name: string): string {
  const value = claims[name]
  if (value === undefined) throw new Error('claim not present')
  if (typeof value !== 'string') throw new Error('the claim is not a string')
  return value
}

function stringResult(expression: Expression, claims: Claims, what: string): string {
  return during(`error evaluating ${what} claim expression`, () => {
    const value = expression.run(claims)
    if (typeof value !== 'string') throw new Error(`${what} claim expression must return a string`)
    return value
  })
}

function userName({ username }: JwtAuthenticator['claimMappings'], compiled: Compiled, claims: Claims): string {
  if (compiled.username) {
    const name = stringResult(compiled.username, claims, 'username')
    if (!name) throw new Error('oidc: empty username via CEL expression is not allowed')
    return name
  }
  const claim = username.claim ?? ''
  const name = during(`parse username claims ${JSON.stringify(claim)}`, () => stringClaim(claims, claim))
  if (claim === 'email' && 'email_verified' in claims) {
    if (typeof claims.email_verified !== 'boolean')
      throw new Error("oidc: parse 'email_verified' claim: the claim is not a boolean")
    if (!claims.email_verified) throw new Error('oidc: email not verified')
  }
  return `${username.prefix ?? ''}${name}`
}

function groupNames({ groups = {} }: JwtAuthenticator['claimMappings'], compiled: Compiled, claims: Claims): string[] {
  if (compiled.groups) {
    const { groups: expression } = compiled
    return during('error evaluating group claim expression', () => stringsOf(expression.run(claims)))
  }
  if (!groups.claim) return []
  const value = claims[groups.claim]
  if (value === undefined) return distributed(claims, groups.claim)
  const names = Array.isArray(value) ? value : [value]
  if (!names.every(name => typeof name === 'string'))
    throw new Error(`oidc: parse groups claim ${JSON.stringify(groups.claim)}: expected a string or a list of strings`)
  return names.map(name => `${groups.prefix ?? ''}${name}`)
}

/** A claim that stands elsewhere (OpenID Connect Core, 5.6.2) is not fetched: its user would have too few groups. */
function distributed({ _claim_names: names }: Claims, claim: string): never[] {
  if (typeof names === 'object' && names !== null && claim in names)
    throw new Error(
      `oidc: the claim ${JSON.stringify(claim)} is distributed, which is not built: put it into the token`,
    )
  return []
}

function userId({ uid = {} }: JwtAuthenticator['claimMappings'], compiled: Compiled, claims: Claims): string {
  if (compiled.uid) return stringResult(compiled.uid, claims, 'uid')
  const { claim } = uid
  return claim ? during(`parse uid claim ${JSON.stringify(claim)}`, () => stringClaim(claims, claim)) : ''
}

function extras(compiled: Compiled, claims: Claims): Record<string, string[]> {
  const extra: Record<string, string[]> = {}
  if (typeof claims.jti === 'string' && claims.jti) extra[CREDENTIAL_ID] = [`JTI=${claims.jti}`]
  for (const { key, expression } of compiled.extra) {
    const what = `error evaluating extra claim expression: ${expression.source}`
    const values = during(what, () => stringsOf(expression.run(claims)))
    if (values.length) extra[key] = values
  }
  return extra
}

function checkRequired({ claimValidationRules = [] }: JwtAuthenticator, claims: Claims): void {
  for (const { claim, requiredValue = '' } of claimValidationRules) {
    if (!claim) continue
    if (!(claim in claims)) throw new Error(`oidc: required claim ${claim} not present in ID token`)
    const value = during(`parse claim ${claim}`, () => stringClaim(claims, claim))
    if (value !== requiredValue)
      throw new Error(`oidc: required claim ${claim} value does not match. Got = ${value}, want = ${requiredValue}`)
  }
}

function checkRules(rules: Compiled['claimRules'], json: unknown, what: string): void {
  during(`error evaluating ${what}`, () => {
    for (const { expression, message } of rules) {
      const value = expression.run(json)
      if (typeof value !== 'boolean') throw new Error('validation expression must return a boolean')
      if (!value) throw new Error(`validation expression '${expression.source}' failed: ${message}`)
    }
  })
}

/** Makes the user. Throws an Error for claims that are missing, mistyped, or refused by a rule. */
export function userOf(authenticator: JwtAuthenticator, compiled: Compiled, claims: Claims): UserInfo {
  const { claimMappings } = authenticator
  const name = userName(claimMappings, compiled, claims)
  const groups = groupNames(claimMappings, compiled, claims)
  const uid = userId(claimMappings, compiled, claims)
  const extra = extras(compiled, claims)
  checkRequired(authenticator, claims)
  checkRules(compiled.claimRules, claims, 'claim validation expression')
  checkRules(compiled.userRules, { username: name, uid, groups, extra }, 'user info validation rule')
  return { name, ...(uid && { uid }), groups, ...(Object.keys(extra).length && { extra }) }
}
