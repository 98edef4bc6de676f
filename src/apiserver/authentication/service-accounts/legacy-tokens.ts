/**
 * Tokens that lie in secrets of type `kubernetes.io/service-account-token`: without an end, good as long as the secret
 * holds them and the account is there (Kubernetes documentation, "Manually create a long-lived API token").
 */
import { hash, timingSafeEqual } from 'node:crypto'
import type { KubeObject } from '../../../api/machinery/object.ts'
import type { Clock } from '../../../lib/clock.ts'
import { showList } from '../../authorization/rbac/rules.ts'
import type { KindReader } from '../../registry/registry.ts'
import type { TokenAuthenticator, UserInfo } from '../authenticator.ts'
import { unverifiedClaims } from '../jwt.ts'
import type { TokenSigner } from './token-signer.ts'
import { accountUserName } from './tokens.ts'

export const LEGACY_ISSUER = 'kubernetes/serviceaccount'
export const LAST_USED = 'kubernetes.io/legacy-token-last-used'
const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since'
const CLAIM = 'kubernetes.io/serviceaccount'
const KNOWN_LIMIT = 10_000
const DAY = 24 * 3_600_000

export interface LegacyTokenDeps {
  readonly signer: Pick<TokenSigner, 'verify'>
  readonly clock: Pick<Clock, 'now'>
  readonly accounts: KindReader
  readonly secrets: KindReader
  /** The server's own audiences: these tokens name none. */
  readonly audiences: readonly string[]
  /** Notes on the secret that its token was used on this day (`2026-01-02`). */
  noteUse(secret: KubeObject, day: string): void
}

interface TokenSecret extends KubeObject {
  data?: Record<string, string>
}

interface Known {
  readonly user: UserInfo
  readonly namespace: string
  readonly secret: string
  readonly account: string
  readonly uid: string
}

function read(claims: Record<string, unknown>): Known {
  const text = (name: string, shown: string) => {
    const value = claims[name]
    if (typeof value !== 'string' || !value) throw new Error(`${shown} claim is missing`)
    return value
  }
  const subject = text('sub', 'sub')
  const namespace = text(`${CLAIM}/namespace`, 'namespace')
  const secret = text(`${CLAIM}/secret.name`, 'secretName')
  const account = text(`${CLAIM}/service-account.name`, 'serviceAccountName')
  const uid = text(`${CLAIM}/service-account.uid`, 'serviceAccountUID')
  const name = accountUserName(namespace, account)
  if (subject !== name) throw new Error('sub claim is invalid')
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated']
  return { user: { name, uid, groups }, namespace, secret, account, uid }
}

const day = (ms: number) => new Date(ms).toISOString().slice(0, 10)

/** Makes the authenticator. Signatures are checked once per token; its secret and account, every time. */
export function legacyTokens(deps: LegacyTokenDeps): TokenAuthenticator {
  const known = new Map<string, Known>()

  const recognise = async (token: string): Promise<Known> => {
    const key = hash('sha256', token, 'base64')
    const before = known.get(key)
    if (before) return before
    const claims = await deps.signer.verify(token)
    if (!claims) throw new Error('the signature of the token is not of this cluster')
    const found = known.get(key) ?? read(claims)
    if (known.size >= KNOWN_LIMIT) known.clear()
    known.set(key, found)
    return found
  }

  const secretOf = ({ namespace, secret }: Known, token: string): TokenSecret => {
    const found = deps.secrets.get(namespace, secret)?.value as TokenSecret | undefined
    if (!found || found.metadata?.deletionTimestamp) throw new Error('Token has been invalidated')
    const kept = Buffer.from(found.data?.token ?? '', 'base64')
    const given = Buffer.from(token)
    if (kept.length !== given.length || !timingSafeEqual(kept, given))
      throw new Error("Token does not match server's copy")
    return found
  }

  const checkAccount = ({ namespace, account, uid }: Known) => {
    const metadata = deps.accounts.get(namespace, account)?.value.metadata
    if (!metadata) throw new Error(`serviceaccounts ${JSON.stringify(account)} not found`)
    if (metadata.deletionTimestamp) throw new Error(`ServiceAccount ${namespace}/${account} has been deleted`)
    if (metadata.uid !== uid) throw new Error(`ServiceAccount UID (${metadata.uid}) does not match claim (${uid})`)
  }

  const noteUse = (secret: TokenSecret) => {
    const now = deps.clock.now()
    const last = secret.metadata?.labels?.[LAST_USED]
    if (last !== day(now) && last !== day(now + DAY)) deps.noteUse(secret, day(now))
  }

  return async (token, audiences) => {
    if (unverifiedClaims(token)?.iss !== LEGACY_ISSUER) return undefined
    const common = audiences.filter(audience => deps.audiences.includes(audience))
    const found = await recognise(token)
    if (!common.length)
      throw new Error(
        `token audiences ${showList(deps.audiences)} is invalid for the target audiences ${showList(audiences)}`,
      )
    const secret = secretOf(found, token)
    checkAccount(found)
    noteUse(secret)
    if (secret.metadata?.labels?.[INVALID_SINCE])
      throw new Error(
        `the token in secret ${found.namespace}/${found.secret} for service account ${found.namespace}/${found.account} has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the '${INVALID_SINCE}' label from the secret to temporarily allow use of this token`,
      )
    return { user: found.user, audiences: common }
  }
}
