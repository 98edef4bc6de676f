import type { MutatingAdmissionPolicy as Type } from '../../generated/types/admissionregistration-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { loadPolicyRules, mutatingPolicyRule } from '../../policies/load-rules.ts'
import type { PolicyObject } from '../../policies/rules.ts'
import { ageColumn, count, nameColumn, text } from '../columns.ts'
import { onObject } from '../rules.ts'
import { defaultPolicy, formatParamKind } from './webhook.defaults.ts'

/** admissionregistration/v1 MutatingAdmissionPolicy. */
export type MutatingAdmissionPolicy = Type

export const MutatingAdmissionPolicy = defineKind<MutatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicy',
  plural: 'mutatingadmissionpolicies',
  singular: 'mutatingadmissionpolicy',
  categories: ['api-extensions'],
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicy',
  generation: true,
  defaults: ({ spec }) => defaultPolicy(spec),
  load: loadPolicyRules,
  rules: [onObject(policy => mutatingPolicyRule(policy as PolicyObject))],
  columns: [
    nameColumn,
    count('Mutations', ({ spec }) => spec?.mutations?.length),
    text('ParamKind', ({ spec }) => formatParamKind(spec?.paramKind)),
    ageColumn,
  ],
})
