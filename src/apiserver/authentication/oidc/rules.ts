/** What an issuer's configuration must hold, as Kubernetes checks it; its expressions come out compiled. */
import { duplicate, type FieldError, invalid, required, tooMany } from '../../../api/machinery/field-error.ts'
import { isDns1123Subdomain } from '../../../api/machinery/names.ts'
import type { AuthenticationConfiguration, Issuer, JwtAuthenticator } from '../configuration.ts'
import { fingerprints } from '../front-proxy.ts'
import { compileExpression, type Expression } from './expressions.ts'

/** The expressions of one issuer. */
export interface Compiled {
  username?: Expression
  groups?: Expression
  uid?: Expression
  readonly extra: { readonly key: string; readonly expression: Expression }[]
  readonly claimRules: { readonly expression: Expression; readonly message: string }[]
  readonly userRules: { readonly expression: Expression; readonly message: string }[]
}

const MAX_ISSUERS = 64
const BOTH = "claim and expression can't both be set"

function checkUrl(url: string, at: string, errors: FieldError[]): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (!parsed) return void errors.push(invalid(at, url, `parse ${JSON.stringify(url)}: invalid URL`))
  if (parsed.protocol !== 'https:') errors.push(invalid(at, url, 'URL scheme must be https'))
  if (parsed.username || parsed.password) errors.push(invalid(at, url, 'URL must not contain a username or password'))
  if (parsed.search) errors.push(invalid(at, url, 'URL must not contain a query'))
  if (parsed.hash) errors.push(invalid(at, url, 'URL must not contain a fragment'))
}

const trimmed = (url: string) => url.replace(/\/+$/, '')

function checkAudiences(
  { audiences = [], audienceMatchPolicy: policy = '' }: Issuer,
  at: string,
  errors: FieldError[],
) {
  if (!audiences.length) errors.push(required(`${at}.audiences`, `at least one ${at}.audiences is required`))
  for (const [i, audience] of audiences.entries()) {
    if (!audience) errors.push(required(`${at}.audiences[${i}]`))
    if (audiences.indexOf(audience) < i) errors.push(duplicate(`${at}.audiences[${i}]`, audience))
  }
  const field = `${at}.audienceMatchPolicy`
  if (audiences.length > 1 && policy !== 'MatchAny')
    errors.push(invalid(field, policy, 'audienceMatchPolicy must be MatchAny for multiple audiences'))
  if (audiences.length === 1 && policy && policy !== 'MatchAny')
    errors.push(invalid(field, policy, 'audienceMatchPolicy must be empty or MatchAny for single audience'))
}

function checkIssuer(issuer: Issuer, own: readonly string[], at: string, errors: FieldError[]): void {
  const { url = '', discoveryURL = '', certificateAuthority, egressSelectorType } = issuer
  if (!url) errors.push(required(`${at}.url`))
  else {
    if (own.includes(url))
      errors.push(invalid(`${at}.url`, url, `URL must not overlap with disallowed issuers: [${own.join(' ')}]`))
    checkUrl(url, `${at}.url`, errors)
  }
  if (discoveryURL) {
    if (url && trimmed(url) === trimmed(discoveryURL))
      errors.push(invalid(`${at}.discoveryURL`, discoveryURL, 'discoveryURL must be different from URL'))
    checkUrl(discoveryURL, `${at}.discoveryURL`, errors)
  }
  checkAudiences(issuer, at, errors)
  if (certificateAuthority)
    try {
      fingerprints(certificateAuthority)
    } catch (error) {
      errors.push(invalid(`${at}.certificateAuthority`, '<omitted>', (error as Error).message))
    }
  if (egressSelectorType)
    errors.push(invalid(`${at}.egressSelectorType`, egressSelectorType, 'there are no egress selectors here'))
}

/** Compiles, or notes what is wrong. */
function compiled(source: string, of: 'claims' | 'user', at: string, errors: FieldError[], condition = false) {
  const result = compileExpression(source, of, condition)
  if (typeof result !== 'string') return result
  errors.push(invalid(at, source, result))
  return undefined
}

function checkClaimRules(
  { claimValidationRules = [] }: JwtAuthenticator,
  into: Compiled,
  at: string,
  errors: FieldError[],
) {
  const claims = new Set<string>()
  const expressions = new Set<string>()
  for (const [i, { claim, requiredValue, expression, message = '' }] of claimValidationRules.entries()) {
    const path = `${at}.claimValidationRules[${i}]`
    if (claim && expression) errors.push(invalid(path, claim, BOTH))
    else if (!claim && !expression) errors.push(required(path, 'claim or expression is required'))
    else if (claim) {
      if (message) errors.push(invalid(`${path}.message`, message, 'may not be specified when claim is set'))
      if (claims.has(claim)) errors.push(duplicate(`${path}.claim`, claim))
      claims.add(claim)
    } else if (expression) {
      if (requiredValue)
        errors.push(invalid(`${path}.requiredValue`, requiredValue, 'may not be specified when expression is set'))
      if (expressions.has(expression)) errors.push(duplicate(`${path}.expression`, expression))
      expressions.add(expression)
      const found = compiled(expression, 'claims', `${path}.expression`, errors, true)
      if (found) into.claimRules.push({ expression: found, message })
    }
  }
}

function checkMapping(
  mapping: JwtAuthenticator['claimMappings']['username'],
  must: boolean,
  at: string,
  errors: FieldError[],
) {
  const { claim, prefix, expression } = mapping
  if (claim && expression) errors.push(invalid(at, '', BOTH))
  else if (!claim && !expression && must) errors.push(required(at, 'claim or expression is required'))
  else if (expression) {
    if (prefix !== undefined)
      errors.push(invalid(`${at}.prefix`, prefix, 'may not be specified when expression is set'))
    return compiled(expression, 'claims', `${at}.expression`, errors)
  } else if (claim) {
    if (prefix === undefined)
      errors.push(
        required(
          `${at}.prefix`,
          'prefix is required when claim is set. It can be set to an empty string to disable prefixing',
        ),
      )
  }
  return undefined
}

function checkExtraKey(key: string, at: string, errors: FieldError[]): void {
  const [domain = '', path] = key.split(/\/(.*)/s)
  if (!key) errors.push(required(at))
  else if (!path) errors.push(invalid(at, key, 'must be a domain-prefixed path (such as "acme.io/foo")'))
  else for (const text of isDns1123Subdomain(domain)) errors.push(invalid(at, domain, text))
  if (key !== key.toLowerCase()) errors.push(invalid(at, key, 'must be lowercase'))
  if (/(^|\.)(kubernetes|k8s)\.io$/.test(domain) && path)
    errors.push(invalid(at, key, 'k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use'))
}

function checkExtra(
  { claimMappings: { extra = [] } }: JwtAuthenticator,
  into: Compiled,
  at: string,
  errors: FieldError[],
) {
  for (const [i, { key = '', valueExpression }] of extra.entries()) {
    const path = `${at}.extra[${i}]`
    checkExtraKey(key, `${path}.key`, errors)
    if (extra.findIndex(each => each.key === key) < i) errors.push(duplicate(`${path}.key`, key))
    else if (!valueExpression) errors.push(required(`${path}.valueExpression`))
    else {
      const expression = compiled(valueExpression, 'claims', `${path}.valueExpression`, errors)
      if (expression) into.extra.push({ key, expression })
    }
  }
}

function checkMappings(authenticator: JwtAuthenticator, into: Compiled, at: string, errors: FieldError[]): void {
  const { username = {}, groups = {}, uid = {} } = authenticator.claimMappings ?? {}
  const [user, group] = [
    checkMapping(username, true, `${at}.username`, errors),
    checkMapping(groups, false, `${at}.groups`, errors),
  ]
  if (user) into.username = user
  if (group) into.groups = group
  if (uid.claim && uid.expression) errors.push(invalid(`${at}.uid`, '', BOTH))
  else if (uid.expression) {
    const found = compiled(uid.expression, 'claims', `${at}.uid.expression`, errors)
    if (found) into.uid = found
  }
  if (authenticator.claimMappings) checkExtra(authenticator, into, at, errors)
  const verified = [user, ...into.extra.map(each => each.expression), ...into.claimRules.map(each => each.expression)]
  if (user?.uses('email') && !verified.some(each => each?.uses('email_verified')))
    errors.push(
      invalid(
        `${at}.username.expression`,
        username.expression,
        'claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression',
      ),
    )
}

function checkUserRules(
  { userValidationRules = [] }: JwtAuthenticator,
  into: Compiled,
  at: string,
  errors: FieldError[],
) {
  for (const [i, { expression, message = '' }] of userValidationRules.entries()) {
    const path = `${at}.userValidationRules[${i}].expression`
    if (!expression) errors.push(required(path))
    else if (userValidationRules.findIndex(each => each.expression === expression) < i)
      errors.push(duplicate(path, expression))
    else {
      const found = compiled(expression, 'user', path, errors, true)
      if (found) into.userRules.push({ expression: found, message })
    }
  }
}

/**
 * Checks a configuration. `own` are the issuers of the server's own tokens. Gives the expressions of each issuer, in
 * order, and everything that is wrong.
 */
export function checkConfiguration(
  { jwt = [], anonymous }: AuthenticationConfiguration,
  own: readonly string[],
): { compiled: Compiled[]; errors: FieldError[] } {
  const errors: FieldError[] = []
  if (jwt.length > MAX_ISSUERS) return { compiled: [], errors: [tooMany('jwt', jwt.length, MAX_ISSUERS)] }
  const result = jwt.map((authenticator, i) => {
    const at = `jwt[${i}]`
    const into: Compiled = { extra: [], claimRules: [], userRules: [] }
    checkIssuer(authenticator.issuer ?? {}, own, `${at}.issuer`, errors)
    checkClaimRules(authenticator, into, at, errors)
    checkMappings(authenticator, into, `${at}.claimMappings`, errors)
    checkUserRules(authenticator, into, at, errors)
    for (const field of ['url', 'discoveryURL'] as const) {
      const value = authenticator.issuer?.[field]
      if (value && jwt.findIndex(each => each.issuer?.[field] === value) < i)
        errors.push(duplicate(`${at}.issuer.${field}`, value))
    }
    return into
  })
  if (anonymous && !anonymous.enabled && anonymous.conditions?.length)
    errors.push(
      invalid(
        'anonymous.conditions',
        anonymous.conditions,
        'enabled should be set to true when conditions are defined',
      ),
    )
  return { compiled: result, errors }
}
