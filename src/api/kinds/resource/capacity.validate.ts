/** How a capacity that several claims share may be asked for (KEP-5075). */
import type { CapacityRequestPolicy, CapacityRequestPolicyRange } from '../../generated/types/resource-v1.ts'
import { forbidden, invalid, required } from '../../machinery/field-error.ts'
import {
  addQuantities,
  canonicalQuantity as canonical,
  compareQuantities as compare,
  formatQuantity,
  parseQuantity,
  quantityValue,
} from '../../machinery/quantity.ts'
import type { Errors } from '../rules.ts'
import { checkSet } from './lists.validate.ts'

const OPTIONS = 10

function checkOptions(standard: string, most: string, options: readonly string[], path: string, errors: Errors): void {
  for (const [index, option] of options.entries()) {
    const before = options[index - 1]
    if (before !== undefined && compare(before, option) > 0) {
      errors.push(invalid(`${path}[${index}]`, canonical(option), 'values must be sorted in ascending order'))
    }
  }
  const larger = (option: string, at: string, found: Errors) => {
    if (compare(option, most) <= 0) return
    found.push(invalid(at, canonical(option), `option is larger than capacity value: ${canonical(most)}`))
  }
  checkSet(options, { max: OPTIONS, key: option => String(quantityValue(option)) }, larger, path, errors)
  if (options.length > OPTIONS || !options.some(option => compare(option, standard) === 0)) {
    errors.push(invalid(path, canonical(standard), 'default value is not valid according to the requestPolicy'))
  }
}

function checkStep(
  value: string,
  { min = '0', step = '0' }: CapacityRequestPolicyRange,
  path: string,
  errors: Errors,
): void {
  const distance = quantityValue(value) - quantityValue(min)
  if (distance % quantityValue(step) === 0) return
  const message = `value is not a multiple of a given step (${canonical(step)}) from (${canonical(min)})`
  errors.push(invalid(path, canonical(value), message))
}

function checkRange(
  standard: string,
  most: string,
  range: CapacityRequestPolicyRange,
  path: string,
  errors: Errors,
): void {
  const { min, max, step } = range
  if (min === undefined) return void errors.push(required(`${path}.min`, 'required when validRange is defined'))
  const wrong = (field: string, value: string, message: string, other: string) =>
    errors.push(invalid(`${path}.${field}`, canonical(value), `${message}: ${canonical(other)}`))
  if (compare(min, most) > 0) wrong('min', min, 'min is larger than capacity value', most)
  if (compare(standard, min) < 0) wrong('min', standard, 'default is less than min', min)
  if (max !== undefined) {
    if (compare(min, max) > 0) wrong('max', min, 'min is larger than max', max)
    if (compare(max, most) > 0) wrong('max', max, 'max is larger than capacity value', most)
    if (compare(standard, max) > 0) wrong('max', standard, 'default is more than max', max)
  }
  if (step === undefined) return
  const once = formatQuantity(addQuantities(parseQuantity(min), parseQuantity(step)))
  if (compare(once, most) > 0) wrong('step', step, `one step ${once} is larger than capacity value`, most)
  checkStep(standard, range, `${path}.step`, errors)
  if (max !== undefined) checkStep(max, range, `${path}.step`, errors)
}

/** `most` is the capacity itself. */
export function checkCapacityPolicy(most: string, policy: CapacityRequestPolicy, path: string, errors: Errors): void {
  const { default: standard, validValues = [], validRange } = policy
  if (validValues.length && validRange) {
    const message =
      'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time'
    errors.push(forbidden(path, message))
    return
  }
  if (!validValues.length && !validRange) return
  const field = validRange ? 'validRange' : 'validValues'
  if (standard === undefined) errors.push(required(`${path}.default`, `required when ${field} is defined`))
  else if (validRange) checkRange(standard, most, validRange, `${path}.${field}`, errors)
  else checkOptions(standard, most, validValues, `${path}.${field}`, errors)
}
