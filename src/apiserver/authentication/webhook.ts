/** Tokens that another server knows: it is sent a TokenReview (Kubernetes documentation, "Webhook Token Authentication"). */

import { createAnswers } from '../../lib/answers.ts'
import type { Clock } from '../../lib/clock.ts'
import type { WebhookEndpoint } from '../webhooks/call.ts'
import { postReview } from '../webhooks/connection.ts'
import type { TokenAuthenticator, TokenOwner, UserInfo } from './authenticator.ts'

export interface TokenWebhook {
  readonly endpoint: WebhookEndpoint
  readonly clock: Clock
  /** The server's own audiences: what a webhook means that names none. */
  readonly audiences: readonly string[]
  /** How long an answer is kept, good or bad. Default two minutes. */
  readonly cacheMs?: number
}

const CACHE_MS = 120_000
const TIMEOUT_MS = 30_000

interface Status {
  readonly authenticated?: boolean
  readonly user?: { username?: string; uid?: string; groups?: string[]; extra?: Record<string, string[]> }
  readonly audiences?: string[]
  readonly error?: string
}

function statusOf(answer: unknown): Status {
  const { kind, status } = (answer ?? {}) as { kind?: unknown; status?: Status }
  if (kind !== 'TokenReview') throw new Error(`expected a TokenReview, and got ${JSON.stringify(kind)}`)
  return status ?? {}
}

function userOf({ user = {} }: Status): UserInfo {
  const { username, uid, groups = [], extra } = user
  const areStrings = (list: unknown) => Array.isArray(list) && list.every(each => typeof each === 'string')
  if (typeof username !== 'string' || !areStrings(groups)) throw new Error('the webhook names no user')
  if (extra && !Object.values(extra).every(areStrings)) throw new Error('the webhook names no user')
  return { name: username, ...(uid && { uid: String(uid) }), groups, ...(extra && { extra }) }
}

/** Makes the authenticator. */
export function webhookTokens({
  endpoint,
  clock,
  audiences: own,
  cacheMs = CACHE_MS,
}: TokenWebhook): TokenAuthenticator {
  const answers = createAnswers<TokenOwner | null>(clock)
  const ask = async (token: string, audiences: readonly string[]): Promise<TokenOwner | null> => {
    const review = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      metadata: { creationTimestamp: null },
      spec: { token, audiences },
      status: { user: {} },
    }
    const status = statusOf(await postReview(endpoint, review, { clock, timeoutMs: TIMEOUT_MS }))
    if (!status.authenticated) {
      if (status.error) throw new Error(status.error)
      return null
    }
    const meant = status.audiences?.length ? status.audiences : own
    const common = audiences.filter(audience => meant.includes(audience))
    return common.length ? { user: userOf(status), audiences: common } : null
  }
  return async (token, audiences) => {
    const question = JSON.stringify([token, audiences])
    const known = answers.get(question)
    if (known !== undefined) return known ?? undefined
    const found = await ask(token, audiences)
    // Others that came with it at once get the same user.
    const same = answers.get(question)
    if (same !== undefined) return same ?? undefined
    answers.keep(question, found, cacheMs)
    return found ?? undefined
  }
}
