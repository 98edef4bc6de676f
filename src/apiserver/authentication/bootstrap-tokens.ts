/** Bootstrap tokens, by which new nodes ask for their certificates. */
import { timingSafeEqual } from 'node:crypto'
import {
  BOOTSTRAP_NAMESPACE,
  type BootstrapToken,
  bootstrapSecretName,
  tokenParts,
  usableToken,
} from '../../api/kinds/core/bootstrap-token.ts'
import type { Secret } from '../../api/kinds/core/secret.ts'
import type { Clock } from '../../lib/clock.ts'
import type { KindReader } from '../registry/registry.ts'
import type { TokenAuthenticator, UserInfo } from './authenticator.ts'

const GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/

const same = (a: string, b: string) => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

/** The groups of a token; undefined where its secret names one that it may not give. */
function groupsOf(extra: string): string[] | undefined {
  const groups = ['system:bootstrappers', ...extra.split(',').map(each => each.trim())].filter(each => each !== '')
  return groups.slice(1).every(group => GROUP.test(group)) ? [...new Set(groups)].sort() : undefined
}

/** Makes the authenticator over the registry's secrets. What is wrong with a token is not told. */
export function bootstrapTokens(secrets: KindReader, clock: Pick<Clock, 'now'>): TokenAuthenticator {
  const users = new WeakMap<Secret, UserInfo>()

  const userOf = (secret: Secret, token: BootstrapToken): UserInfo | undefined => {
    const before = users.get(secret)
    if (before) return before
    const groups = groupsOf(token.extraGroups)
    if (!groups) return undefined
    const user = { name: `system:bootstrap:${token.id}`, groups }
    users.set(secret, user)
    return user
  }
  return token => {
    const parts = tokenParts(token)
    if (!parts) return undefined
    const [id, wanted] = parts
    const secret = secrets.get(BOOTSTRAP_NAMESPACE, bootstrapSecretName(id))?.value as Secret | undefined
    const found = secret && usableToken(secret, clock.now())
    if (!found?.authenticates || !same(found.secret, wanted)) return undefined
    const user = userOf(secret!, found)
    return user && { user }
  }
}
