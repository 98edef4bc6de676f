import type { ValidatingAdmissionPolicy as Type } from '../../generated/types/admissionregistration-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { loadPolicyRules, validatingPolicyRule } from '../../policies/load-rules.ts'
import type { PolicyObject } from '../../policies/rules.ts'
import { ageColumn, count, nameColumn, text } from '../columns.ts'
import { defaultPolicy, formatParamKind } from './webhook.defaults.ts'

/** admissionregistration/v1 ValidatingAdmissionPolicy. */
export type ValidatingAdmissionPolicy = Type

export const ValidatingAdmissionPolicy = defineKind<ValidatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicy',
  plural: 'validatingadmissionpolicies',
  singular: 'validatingadmissionpolicy',
  categories: ['api-extensions'],
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy',
  status: true,
  generation: true,
  prepareCreate(policy) {
    policy.status = {}
  },
  defaults: ({ spec }) => defaultPolicy(spec),
  load: loadPolicyRules,
  rules: [
    (policy, _old, { subresource }) => (subresource === 'status' ? [] : validatingPolicyRule(policy as PolicyObject)),
  ],
  columns: [
    nameColumn,
    count('Validations', ({ spec }) => spec?.validations?.length),
    text('ParamKind', ({ spec }) => formatParamKind(spec?.paramKind)),
    ageColumn,
  ],
})
