/**
 * Bootstrap tokens: secrets of kube-system by which new nodes ask for their certificates (Kubernetes documentation,
 * "Authenticating with Bootstrap Tokens").
 */
import { timingSafeEqual } from 'node:crypto'
import type { KubeObject } from '../../api/machinery/object.ts'
import { parseTime } from '../../api/machinery/time.ts'
import type { Clock } from '../../lib/clock.ts'
import type { KindReader } from '../registry/registry.ts'
import type { TokenAuthenticator, UserInfo } from './authenticator.ts'

interface TokenSecret extends KubeObject {
  type?: string
  data?: Record<string, string>
}

const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/
const GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/
const NAMESPACE = 'kube-system'

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
  const users = new WeakMap<KubeObject, UserInfo>()

  const userOf = (secret: TokenSecret, id: string, value: (key: string) => string): UserInfo | undefined => {
    const before = users.get(secret)
    if (before) return before
    const groups = groupsOf(value('auth-extra-groups'))
    if (!groups) return undefined
    const user = { name: `system:bootstrap:${id}`, groups }
    users.set(secret, user)
    return user
  }
  return token => {
    const [, id, wanted] = TOKEN.exec(token) ?? []
    if (id === undefined || wanted === undefined) return undefined
    const secret = secrets.get(NAMESPACE, `bootstrap-token-${id}`)?.value as TokenSecret | undefined
    if (!secret || secret.metadata?.deletionTimestamp || secret.type !== 'bootstrap.kubernetes.io/token')
      return undefined
    const value = (key: string) => Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8')
    if (!same(value('token-secret'), wanted) || value('token-id') !== id) return undefined
    const expiration = value('expiration')
    if (expiration) {
      const end = parseTime(expiration)
      if (end === undefined || end <= clock.now()) return undefined
    }
    if (value('usage-bootstrap-authentication') !== 'true') return undefined
    const user = userOf(secret, id, value)
    return user && { user }
  }
}
