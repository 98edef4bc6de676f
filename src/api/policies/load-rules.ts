import type { FieldError } from '../machinery/field-error.ts'
import type { PolicyObject } from './rules.ts'

type PolicyRules = typeof import('./rules.ts')

let loaded: PolicyRules | undefined

/** Loads the rules of policies, with CEL; kinds await it before their rules are asked. */
export async function loadPolicyRules(): Promise<void> {
  loaded ??= await import('./rules.ts')
}

/** The loaded rules. Throws an Error before {@link loadPolicyRules} is done. */
export function policyRules(): PolicyRules {
  if (loaded === undefined) throw new Error('the rules of policies are not loaded')
  return loaded
}

/** The rules of a ValidatingAdmissionPolicy, when they are loaded. */
export const validatingPolicyRule = (policy: PolicyObject): FieldError[] => policyRules().validatingPolicyErrors(policy)

/** The rules of a MutatingAdmissionPolicy, when they are loaded. */
export const mutatingPolicyRule = (policy: PolicyObject): FieldError[] => policyRules().mutatingPolicyErrors(policy)
