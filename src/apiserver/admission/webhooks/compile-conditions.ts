import type { Authorizer } from '../../authorization/authorizer.ts'
import type { ConditionMatcher, MatchCondition } from './condition-matcher.ts'

/**
 * Match conditions, compiled when a request first comes to them: CEL is loaded only then. Those that cannot be
 * evaluated fail the request, or leave the webhook out, as its failure policy says.
 */
export function compileConditions(
  conditions: readonly MatchCondition[],
  ignoresFailure: boolean,
  authorize: Authorizer,
): ConditionMatcher {
  let matcher: ConditionMatcher | undefined
  return async (request, shown) => {
    if (matcher === undefined) {
      const { webhookConditions } = await import('../policies/webhook-conditions.ts')
      matcher ??= webhookConditions(conditions, ignoresFailure, authorize)
    }
    return matcher(request, shown)
  }
}
