/** Another server that decides: it is sent a SubjectAccessReview (Kubernetes documentation, "Webhook Mode"). */

import { createAnswers } from '../../lib/answers.ts'
import type { Clock } from '../../lib/clock.ts'
import type { WebhookEndpoint } from '../webhooks/call.ts'
import { postReview } from '../webhooks/connection.ts'
import type { Authorizer, Decision } from './authorizer.ts'
import type { MatchConditions } from './match-conditions.ts'
import { type ReviewSpec, reviewOf } from './review.ts'

export interface WebhookAuthorizerOptions {
  readonly endpoint: WebhookEndpoint
  readonly clock: Clock
  readonly timeoutMs: number
  /** How long answers are kept; 0 is not at all. */
  readonly authorizedMs: number
  readonly unauthorizedMs: number
  readonly version: 'v1' | 'v1beta1'
  /** What it means that the webhook could not be asked. */
  readonly failurePolicy: 'NoOpinion' | 'Deny'
  /** Which questions it is asked; all of them by default. */
  readonly match?: MatchConditions
}

/** Longer questions are not kept. */
const KEY_LIMIT = 10_000
const NO_OPINION: Decision = { allowed: false }

/** In v1beta1 groups stand under another name. */
const inVersion = ({ groups, ...spec }: ReviewSpec, version: string) =>
  version === 'v1' ? { ...spec, ...(groups && { groups }) } : { ...spec, ...(groups && { group: groups }) }

function decisionOf(answer: unknown): Decision {
  const { kind, status } = (answer ?? {}) as {
    kind?: unknown
    status?: { allowed?: unknown; denied?: unknown; reason?: unknown }
  }
  if (kind !== 'SubjectAccessReview') throw new Error(`expected a SubjectAccessReview, and got ${JSON.stringify(kind)}`)
  const [allowed, denied] = [status?.allowed === true, status?.denied === true]
  const reason = typeof status?.reason === 'string' && status.reason ? { reason: status.reason } : {}
  if (allowed && denied)
    return {
      allowed: false,
      denied,
      ...reason,
      error: 'webhook subject access review returned both allow and deny response',
    }
  return { allowed, ...(denied && { denied }), ...reason }
}

/** Makes the authorizer. */
export function webhookAuthorizer(options: WebhookAuthorizerOptions): Authorizer {
  const { endpoint, clock, timeoutMs, version } = options
  const answers = createAnswers<Decision>(clock)
  const failed = (error: unknown): Decision => ({
    allowed: false,
    ...(options.failurePolicy === 'Deny' && { denied: true }),
    error: (error as Error).message,
  })
  const ask = async (spec: ReviewSpec, key: string): Promise<Decision> => {
    const review = {
      apiVersion: `authorization.k8s.io/${version}`,
      kind: 'SubjectAccessReview',
      metadata: { creationTimestamp: null },
      spec: inVersion(spec, version),
      status: { allowed: false },
    }
    try {
      const decision = decisionOf(await postReview(endpoint, review, { clock, timeoutMs }))
      if (key.length <= KEY_LIMIT)
        answers.keep(key, decision, decision.allowed ? options.authorizedMs : options.unauthorizedMs)
      return decision
    } catch (error) {
      return failed(error)
    }
  }
  return attributes => {
    const spec = reviewOf(attributes)
    try {
      if (options.match && !options.match(spec)) return NO_OPINION
    } catch (error) {
      return failed(error)
    }
    const key = JSON.stringify(spec)
    return answers.get(key) ?? ask(spec, key)
  }
}
