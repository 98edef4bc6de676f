import type { Variables } from '../../../api/machinery/cel/runtime/frame.ts'
import type { Named } from '../../../api/policies/compile.ts'
import { CONDITIONS_BUDGET, Evaluation, OutOfBudget } from './evaluation.ts'

/** Whether all match conditions hold; or what kept one from being evaluated, when none says no. */
export function conditionsHold(
  conditions: readonly Named[],
  input: Variables,
  variables: readonly Named[],
): boolean | { readonly error: string } {
  if (conditions.length === 0) return true
  const evaluation = new Evaluation(input, variables, CONDITIONS_BUDGET)
  const errors: string[] = []
  try {
    for (const condition of conditions) {
      const result = evaluation.run(condition)
      if ('error' in result) errors.push(result.error)
      else if (result.value === false) return false
    }
  } catch (error) {
    if (error instanceof OutOfBudget) return { error: error.message }
    throw error
  }
  if (errors.length === 0) return true
  return { error: errors.length === 1 ? (errors[0] as string) : `[${[...new Set(errors)].join(', ')}]` }
}
