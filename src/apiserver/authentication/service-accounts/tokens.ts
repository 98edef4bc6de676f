/**
 * Tokens of service accounts: made on request, bound to the pod, secret or node that they are for, and good only as
 * long as those and the account exist (KEP-1205, KEP-4193).
 */
import { hash } from 'node:crypto'
import type { KubeObject } from '../../../api/machinery/object.ts'
import type { Clock } from '../../../lib/clock.ts'
import { showList } from '../../authorization/rbac/rules.ts'
import type { KindReader } from '../../registry/registry.ts'
import type { TokenAuthenticator, UserInfo } from '../authenticator.ts'
import { unverifiedClaims } from '../jwt.ts'
import type { TokenSigner } from './token-signer.ts'

export const ISSUER = 'https://kubernetes.default.svc.cluster.local'

export interface TokenDeps {
  readonly signer: TokenSigner
  readonly clock: Clock
  readonly accounts: KindReader
  readonly pods: KindReader
  readonly secrets: KindReader
  readonly nodes: KindReader
  uuid(): string
}

export interface IssueOptions {
  readonly account: KubeObject
  readonly pod?: KubeObject
  readonly secret?: KubeObject
  /** The node of `pod`, or the node that the token is bound to itself. */
  readonly node?: KubeObject
  readonly audiences: readonly string[]
  /** How long the token is good for. */
  readonly expirationSeconds: number
  /** After so many seconds its use is worth a warning. */
  readonly warnAfterSeconds?: number
}

export interface ServiceAccountTokens {
  /** Audiences of the API server itself. */
  readonly audiences: readonly string[]
  issue(options: IssueOptions): Promise<string>
  /** Knows tokens of this issuer; says what is wrong with one whose signature, time or objects are not good. */
  readonly authenticate: TokenAuthenticator
}

interface Ref {
  name?: string
  uid?: string
}

interface Claims {
  iss?: string
  sub?: string
  aud?: string[] | string
  exp?: number
  iat?: number
  nbf?: number
  jti?: string
  'kubernetes.io'?: { namespace?: string; serviceaccount?: Ref; pod?: Ref; secret?: Ref; node?: Ref }
}

interface Known {
  readonly claims: Claims
  readonly user: UserInfo
  readonly audiences: readonly string[]
}

/** Clocks may differ by this much, in ms. */
const LEEWAY = 60_000
/** Tokens whose signature is remembered as good. */
const KNOWN_LIMIT = 10_000

const refOf = ({ metadata }: KubeObject): Ref => ({
  name: metadata?.name ?? '',
  ...(metadata?.uid && { uid: metadata.uid }),
})

export const accountUserName = (namespace: string, name: string) => `system:serviceaccount:${namespace}:${name}`

/** The user and groups of a service account. */
export function accountUser(claims: Claims): UserInfo {
  const { namespace = '', serviceaccount, pod, node } = claims['kubernetes.io'] ?? {}
  const prefix = 'authentication.kubernetes.io'
  const extra: Record<string, string[]> = {}
  if (claims.jti) extra[`${prefix}/credential-id`] = [`JTI=${claims.jti}`]
  if (node?.name) extra[`${prefix}/node-name`] = [node.name]
  if (node?.uid) extra[`${prefix}/node-uid`] = [node.uid]
  if (pod?.name) extra[`${prefix}/pod-name`] = [pod.name]
  if (pod?.uid) extra[`${prefix}/pod-uid`] = [pod.uid]
  return {
    name: accountUserName(namespace, serviceaccount?.name ?? ''),
    ...(serviceaccount?.uid && { uid: serviceaccount.uid }),
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    extra,
  }
}

/** Issues and checks tokens. Signatures are checked once per token; whether its objects still exist, every time. */
export function serviceAccountTokens(deps: TokenDeps): ServiceAccountTokens {
  const { signer, clock } = deps
  const apiAudiences = [ISSUER]
  const known = new Map<string, Known>()

  /** `undefined` for a token that was not seen before. */
  const remembered = (token: string) => known.get(hash('sha256', token, 'base64'))

  const recognise = async (token: string): Promise<Known> => {
    const claims = (await signer.verify(token)) as Claims | undefined
    if (claims?.iss !== ISSUER) throw new Error('the signature of the token is not of this cluster')
    const audiences = typeof claims.aud === 'string' ? [claims.aud] : (claims.aud ?? [])
    // Requests that came with the same new token at once get the same user.
    const before = remembered(token)
    if (before) return before
    const found = { claims, user: accountUser(claims), audiences: audiences.length ? audiences : apiAudiences }
    if (known.size >= KNOWN_LIMIT) known.clear()
    known.set(hash('sha256', token, 'base64'), found)
    return found
  }

  const checkTimes = ({ exp = 0, nbf = 0, iat = 0 }: Claims) => {
    const now = clock.now()
    if (exp * 1000 + LEEWAY < now) throw new Error('service account token has expired')
    // One that was good from the moment it was made on: only a clock that was set back can say that this is to come.
    if (nbf === iat) return
    if (nbf * 1000 - LEEWAY > now) throw new Error('service account token is not valid yet')
  }

  /** Throws when the object that a token is bound to is gone, another, or long being deleted. */
  const checkBound = (reader: KindReader, namespace: string, ref: Ref, what: string, claim: string) => {
    const metadata = reader.get(namespace, ref.name ?? '')?.value.metadata
    if (!metadata) throw new Error('service account token has been invalidated')
    if (metadata.uid !== ref.uid) throw new Error(`${what} UID (${metadata.uid}) does not match ${claim} (${ref.uid})`)
    if (metadata.deletionTimestamp && Date.parse(metadata.deletionTimestamp) < clock.now() - LEEWAY)
      throw new Error('service account token has been invalidated')
  }

  const checkAccount = (namespace: string, { name = '', uid = '' }: Ref) => {
    const metadata = deps.accounts.get(namespace, name)?.value.metadata
    if (!metadata) throw new Error(`serviceaccounts ${JSON.stringify(name)} not found`)
    if (metadata.uid !== uid) throw new Error(`service account UID (${metadata.uid}) does not match claim (${uid})`)
    if (metadata.deletionTimestamp && Date.parse(metadata.deletionTimestamp) < clock.now() - LEEWAY)
      throw new Error(`service account ${namespace}/${name} has been deleted`)
  }

  const checkObjects = ({ 'kubernetes.io': bound = {} }: Claims) => {
    const { namespace = '', serviceaccount = {}, pod, secret, node } = bound
    const claim = (type: string) => `service account ${type} ref claim`
    checkAccount(namespace, serviceaccount)
    if (secret) checkBound(deps.secrets, namespace, secret, 'secret', claim('secret'))
    if (pod) checkBound(deps.pods, namespace, pod, 'pod', claim('pod'))
    else if (node) checkBound(deps.nodes, '', node, 'node', claim('node'))
  }

  return {
    audiences: apiAudiences,
    issue({ account, pod, secret, node, audiences, expirationSeconds, warnAfterSeconds }) {
      const now = Math.floor(clock.now() / 1000)
      const { namespace = '', name = '' } = account.metadata ?? {}
      return signer.sign({
        aud: audiences,
        exp: now + expirationSeconds,
        iat: now,
        iss: ISSUER,
        jti: deps.uuid(),
        'kubernetes.io': {
          namespace,
          ...(node && { node: refOf(node) }),
          ...(pod && { pod: refOf(pod) }),
          ...(secret && { secret: refOf(secret) }),
          serviceaccount: refOf(account),
          ...(warnAfterSeconds && { warnafter: now + warnAfterSeconds }),
        },
        nbf: now,
        sub: accountUserName(namespace, name),
      })
    },
    async authenticate(token, audiences) {
      if (unverifiedClaims(token)?.iss !== ISSUER) return undefined
      const { claims, user, audiences: own } = remembered(token) ?? (await recognise(token))
      const common = audiences.filter(audience => own.includes(audience))
      if (!common.length)
        throw new Error(`token audiences ${showList(own)} is invalid for the target audiences ${showList(audiences)}`)
      checkTimes(claims)
      checkObjects(claims)
      return { user, audiences: common }
    },
  }
}
