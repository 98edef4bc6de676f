import type { MutatingAdmissionPolicyBinding as Type } from '../../generated/types/admissionregistration-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { mutatingBindingRule } from './binding.rules.ts'
import { defaultMatchResources, formatParamRef } from './webhook.defaults.ts'

/** admissionregistration/v1 MutatingAdmissionPolicyBinding. */
export type MutatingAdmissionPolicyBinding = Type

export const MutatingAdmissionPolicyBinding = defineKind<MutatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicyBinding',
  plural: 'mutatingadmissionpolicybindings',
  singular: 'mutatingadmissionpolicybinding',
  categories: ['api-extensions'],
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBinding',
  generation: true,
  defaults({ spec }) {
    defaultMatchResources(spec?.matchResources)
  },
  rules: [binding => mutatingBindingRule(binding as Parameters<typeof mutatingBindingRule>[0])],
  columns: [
    nameColumn,
    text('PolicyName', ({ spec }) => spec?.policyName ?? ''),
    text('ParamRef', ({ spec }) => formatParamRef(spec?.paramRef)),
    ageColumn,
  ],
})
