/**
 * Bootstrap tokens: secrets of kube-system with which new nodes come to a cluster (Kubernetes documentation,
 * "Authenticating with Bootstrap Tokens").
 */
import { Buffer } from 'node:buffer'
import { parseTime } from '../../machinery/time.ts'
import type { Secret } from './secret.ts'

export const BOOTSTRAP_NAMESPACE = 'kube-system'
/** The name of a token's secret. */
export const bootstrapSecretName = (id: string) => `bootstrap-token-${id}`

export interface BootstrapToken {
  readonly id: string
  readonly secret: string
  /** When it ends, in ms since the epoch: infinite where nothing is said, undefined where that cannot be read. */
  readonly end: number | undefined
  readonly authenticates: boolean
  readonly signs: boolean
  /** Groups besides `system:bootstrappers`, as they are written: with commas between. */
  readonly extraGroups: string
}

/** The two parts of a token as it is handed around, `id.secret`; undefined where it cannot be one. */
export function tokenParts(token: string): readonly [id: string, secret: string] | undefined {
  const [, id, secret] = /^([a-z0-9]{6})\.([a-z0-9]{16})$/.exec(token) ?? []
  return id && secret ? [id, secret] : undefined
}

export const BOOTSTRAP_TYPE = 'bootstrap.kubernetes.io/token'

/** Whether a secret is of the kind, whatever stands in it. */
export const isBootstrapSecret = ({ type, metadata }: Secret) =>
  type === BOOTSTRAP_TYPE && metadata?.namespace === BOOTSTRAP_NAMESPACE

/** What a secret says as a bootstrap token; undefined for any other secret. */
export function bootstrapToken(secret: Secret): BootstrapToken | undefined {
  if (!isBootstrapSecret(secret)) return undefined
  const value = (key: string) => Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8')
  const expiration = value('expiration')
  return {
    id: value('token-id'),
    secret: value('token-secret'),
    end: expiration ? parseTime(expiration) : Number.POSITIVE_INFINITY,
    authenticates: value('usage-bootstrap-authentication') === 'true',
    signs: value('usage-bootstrap-signing') === 'true',
    extraGroups: value('auth-extra-groups'),
  }
}

/** A token that is whole, bears the name of its id and has not ended; undefined for any other secret. */
export function usableToken(secret: Secret, now: number): BootstrapToken | undefined {
  const token = bootstrapToken(secret)
  if (!token?.id || !token.secret || token.end === undefined || token.end <= now) return undefined
  const { name, deletionTimestamp } = secret.metadata ?? {}
  return name === bootstrapSecretName(token.id) && !deletionTimestamp ? token : undefined
}
