import type { ValidatingAdmissionPolicy as Type } from '../../generated/types/admissionregistration-v1.ts'
import { required } from '../../machinery/field-error.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { loadPolicyRules, validatingPolicyRule } from '../../policies/load-rules.ts'
import type { PolicyObject } from '../../policies/rules.ts'
import { ageColumn, count, nameColumn, text } from '../columns.ts'
import { checkConditions } from '../conditions.validate.ts'
import { check, type Errors, onObject, onStatus } from '../rules.ts'
import { defaultPolicy, formatParamKind } from './webhook.defaults.ts'

/** admissionregistration/v1 ValidatingAdmissionPolicy. */
export type ValidatingAdmissionPolicy = Type

function checkStatus({ status }: ValidatingAdmissionPolicy, errors: Errors): void {
  for (const [index, { fieldRef, warning }] of (status?.typeChecking?.expressionWarnings ?? []).entries()) {
    const path = `status.typeChecking.expressionWarnings[${index}]`
    if (!warning) errors.push(required(`${path}.warning`))
    if (!fieldRef) errors.push(required(`${path}.fieldRef`))
  }
  checkConditions(status?.conditions, 'status.conditions', errors)
}

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
  rules: [onObject(policy => validatingPolicyRule(policy as PolicyObject)), onStatus(check(checkStatus))],
  columns: [
    nameColumn,
    count('Validations', ({ spec }) => spec?.validations?.length),
    text('ParamKind', ({ spec }) => formatParamKind(spec?.paramKind)),
    ageColumn,
  ],
})
