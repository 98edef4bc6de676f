import type { ValidatingAdmissionPolicyBinding as Type } from '../../generated/types/admissionregistration-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { validatingBindingRule } from './binding.rules.ts'
import { defaultMatchResources, formatParamRef } from './webhook.defaults.ts'

/** admissionregistration/v1 ValidatingAdmissionPolicyBinding. */
export type ValidatingAdmissionPolicyBinding = Type

export const ValidatingAdmissionPolicyBinding = defineKind<ValidatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  plural: 'validatingadmissionpolicybindings',
  singular: 'validatingadmissionpolicybinding',
  categories: ['api-extensions'],
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding',
  generation: true,
  defaults({ spec }) {
    defaultMatchResources(spec?.matchResources)
  },
  rules: [binding => validatingBindingRule(binding as Parameters<typeof validatingBindingRule>[0])],
  columns: [
    nameColumn,
    text('PolicyName', ({ spec }) => spec?.policyName ?? ''),
    text('ParamRef', ({ spec }) => formatParamRef(spec?.paramRef)),
    ageColumn,
  ],
})
