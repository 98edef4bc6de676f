/** Rules of meta/v1 conditions (k8s.io/apimachinery `pkg/apis/meta/v1/validation`). */
import type { Condition } from '../generated/types/meta-v1.ts'
import { duplicate, invalid, required, tooLong } from '../machinery/field-error.ts'
import { regexError } from '../machinery/names.ts'
import { checkQualifiedName, checkSupported, type Errors } from './rules.ts'

const STATUSES = ['False', 'True', 'Unknown']
const REASON = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?'
const REASON_FORM = new RegExp(`^${REASON}$`)
const LONGEST_REASON = 1024
const LONGEST_MESSAGE = 32 * 1024

function checkCondition(condition: Condition, path: string, errors: Errors): void {
  const { type = '', status = '', observedGeneration = 0, lastTransitionTime, reason = '', message = '' } = condition
  checkQualifiedName(type, `${path}.type`, errors)
  checkSupported(status, STATUSES, `${path}.status`, errors)
  if (observedGeneration < 0) {
    const at = `${path}.observedGeneration`
    errors.push(invalid(at, observedGeneration, 'must be greater than or equal to zero'))
  }
  if (!lastTransitionTime) errors.push(required(`${path}.lastTransitionTime`))
  if (!reason) errors.push(required(`${path}.reason`))
  else if (!REASON_FORM.test(reason)) {
    const form =
      "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'"
    errors.push(
      invalid(
        `${path}.reason`,
        reason,
        regexError(form, REASON, 'my_name', 'MY_NAME', 'MyName', 'ReasonA,ReasonB', 'ReasonA:ReasonB'),
      ),
    )
  }
  if (reason.length > LONGEST_REASON) errors.push(tooLong(`${path}.reason`, LONGEST_REASON))
  if (message.length > LONGEST_MESSAGE) errors.push(tooLong(`${path}.message`, LONGEST_MESSAGE))
}

/** Conditions say all they must, and each type stands once. */
export function checkConditions(conditions: readonly Condition[] | undefined, path: string, errors: Errors): void {
  const seen = new Set<string>()
  for (const [index, condition] of (conditions ?? []).entries()) {
    const type = condition.type ?? ''
    if (seen.has(type)) errors.push(duplicate(`${path}[${index}].type`, type))
    seen.add(type)
    checkCondition(condition, `${path}[${index}]`, errors)
  }
}
