/** Rules of a Job's success policy (k8s.io/kubernetes `pkg/apis/batch/validation`). */
import type { JobSpec, SuccessPolicyRule } from '../../generated/types/batch-v1.ts'
import { invalid, required, tooLong, tooMany } from '../../machinery/field-error.ts'
import { checkNonNegative, type Errors } from '../rules.ts'
import { countIndexes } from './indexes.ts'

const MAX_SUCCESS_RULES = 20
const MAX_INDEXES_TEXT = 64 * 1024

/** What is wrong with when an indexed job is a success. */
export function checkSuccess({ successPolicy, completions = 0 }: JobSpec, path: string, errors: Errors): void {
  if (!successPolicy) return
  const { rules = [] } = successPolicy
  if (!rules.length) {
    errors.push(required(`${path}.rules`, 'at least one rules must be specified when the successPolicy is specified'))
  }
  if (rules.length > MAX_SUCCESS_RULES) errors.push(tooMany(`${path}.rules`, rules.length, MAX_SUCCESS_RULES))
  for (const [index, rule] of rules.entries()) checkSuccessRule(rule, completions, `${path}.rules[${index}]`, errors)
}

function checkSuccessRule(
  { succeededCount: count, succeededIndexes: indexes }: SuccessPolicyRule,
  completions: number,
  path: string,
  errors: Errors,
): void {
  if (count === undefined && indexes === undefined) {
    errors.push(required(path, 'at least one of succeededCount or succeededIndexes must be specified'))
  }
  let total = 0
  if (indexes !== undefined) {
    const at = `${path}.succeededIndexes`
    if (indexes.length > MAX_INDEXES_TEXT) errors.push(tooLong(at, MAX_INDEXES_TEXT))
    const read = countIndexes(indexes, completions)
    if (typeof read === 'number') total = read
    else errors.push(invalid(at, indexes, `error parsing succeededIndexes: ${read}`))
  }
  if (count === undefined) return
  const at = `${path}.succeededCount`
  checkNonNegative(count, at, errors)
  if (count > completions) {
    const what = `must be less than or equal to ${completions} (the number of specified completions)`
    errors.push(invalid(at, count, what))
  }
  if (indexes !== undefined && count > total) {
    const what = `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`
    errors.push(invalid(at, count, what))
  }
}
