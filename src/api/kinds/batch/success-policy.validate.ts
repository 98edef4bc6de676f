/** Rules of a Job's success policy (k8s.io/kubernetes `pkg/apis/batch/validation`). */
import type { JobSpec, SuccessPolicyRule } from '../../generated/types/batch-v1.ts'
import { invalid, required, tooLong, tooMany } from '../../machinery/field-error.ts'
import { checkNonNegative, type Errors } from '../rules.ts'

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

const INTEGER = /^[+-]?[0-9]+$/

/** One index, or what is wrong with it. */
function readIndex(text: string, completions: number): number | string {
  if (!INTEGER.test(text)) return `cannot convert string to integer for index: ${JSON.stringify(text)}`
  const index = Number(text)
  return index >= completions ? `too large index: ${JSON.stringify(text)}` : index
}

/** How many indexes `1,3-5` names, or what is wrong with the text. */
function countIndexes(text: string, completions: number): number | string {
  if (text === '') return 0
  let total = 0
  let last: number | undefined
  for (const interval of text.split(',')) {
    const limits = interval.split('-')
    if (limits.length > 2) {
      const what = "violates the requirement that an index interval can have at most two parts separated by '-'"
      return `the fragment ${JSON.stringify(interval)} ${what}`
    }
    const first = readIndex(limits[0]!, completions)
    if (typeof first === 'string') return first
    const end = limits.length > 1 ? readIndex(limits[1]!, completions) : first
    if (typeof end === 'string') return end
    if (limits.length > 1 && first >= end) return `non-increasing order, previous: ${first}, current: ${end}`
    if (last !== undefined && last >= first) return `non-increasing order, previous: ${last}, current: ${first}`
    total += end - first + 1
    last = end
  }
  return total
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
