import { duplicate, required } from '../../machinery/field-error.ts'
import type { Errors } from '../rules.ts'

/** Conditions have a type, each another. */
export function checkConditionTypes(
  conditions: readonly { readonly type?: string }[] | undefined,
  errors: Errors,
): void {
  const seen = new Set<string>()
  for (const [index, { type = '' }] of (conditions ?? []).entries()) {
    const path = `status.conditions[${index}].type`
    if (seen.has(type)) errors.push(duplicate(path, type))
    seen.add(type)
    if (!type) errors.push(required(path))
  }
}
