import { PolicyCompiler, RESULTS } from '../../../api/policies/compile.ts'
import type { Authorizer } from '../../authorization/authorizer.ts'
import type { ConditionMatcher, MatchCondition } from '../webhooks/condition-matcher.ts'
import { conditionsHold } from './conditions.ts'
import { settled } from './evaluation.ts'
import { RequestInput } from './request-input.ts'

/** The match conditions of a webhook, compiled. */
export function webhookConditions(
  conditions: readonly MatchCondition[],
  ignoresFailure: boolean,
  authorize: Authorizer,
): ConditionMatcher {
  const compiler = new PolicyCompiler({}, false)
  const compiled = conditions.map(({ name, expression }) => ({
    name,
    ...compiler.compile(expression, RESULTS.condition),
  }))
  return async (request, shape) => {
    const input = new RequestInput(request, authorize)
    const variables = input.forConditions(input.variables(shape, undefined), shape.as)
    const holds = await settled(() => conditionsHold(compiled, variables, []))
    if (typeof holds === 'boolean') return holds
    if (ignoresFailure) return false
    throw new Error(holds.error)
  }
}
