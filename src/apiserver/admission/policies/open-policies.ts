import type { AdmissionPlugin } from '../plugin.ts'
import type { PolicyDeps } from './lazy-plugin.ts'
import { livePolicies } from './live-policies.ts'
import { mutatingPolicies } from './mutating.ts'
import { compileMutations } from './mutations.ts'
import { validatingPolicies } from './validating.ts'
import { compileValidations } from './validations.ts'

/** The plugin of ValidatingAdmissionPolicies over a registry. */
export function openValidatingPolicies(deps: PolicyDeps): AdmissionPlugin {
  return validatingPolicies({ ...deps, policies: livePolicies({ ...deps, compile: compileValidations }) })
}

/** The plugin of MutatingAdmissionPolicies over a registry. */
export function openMutatingPolicies(deps: PolicyDeps): AdmissionPlugin {
  return mutatingPolicies({ ...deps, policies: livePolicies({ ...deps, compile: compileMutations }) })
}
