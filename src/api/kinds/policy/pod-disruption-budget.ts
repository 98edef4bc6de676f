import type { PodDisruptionBudget as Type } from '../../generated/types/policy-v1.ts'
import { invalid } from '../../machinery/field-error.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { validateLabelSelector } from '../../machinery/label-selector.ts'
import { ageColumn, count, nameColumn, text } from '../columns.ts'
import { checkConditions } from '../conditions.validate.ts'
import {
  check,
  checkAtMostWhole,
  checkIntOrPercent,
  checkSupported,
  nonNegative,
  onObject,
  onStatus,
} from '../rules.ts'

/** policy/v1 PodDisruptionBudget. */
export type PodDisruptionBudget = Type

const EVICTION_POLICIES = ['AlwaysAllow', 'IfHealthyBudget']

export const PodDisruptionBudget = defineKind<PodDisruptionBudget>({
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  singular: 'poddisruptionbudget',
  shortNames: ['pdb'],
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.policy.v1.PodDisruptionBudget',
  nameFormat: 'path',
  status: true,
  generation: true,
  prepareCreate(budget) {
    budget.status = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 }
  },
  rules: [
    onObject(
      check<PodDisruptionBudget>(({ spec }, errors) => {
        const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy: policy } = spec ?? {}
        if (minAvailable !== undefined && maxUnavailable !== undefined) {
          errors.push(invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set'))
        }
        checkIntOrPercent(minAvailable, 'spec.minAvailable', errors)
        checkAtMostWhole(minAvailable, 'spec.minAvailable', errors)
        checkIntOrPercent(maxUnavailable, 'spec.maxUnavailable', errors)
        checkAtMostWhole(maxUnavailable, 'spec.maxUnavailable', errors)
        if (selector) errors.push(...validateLabelSelector(selector, 'spec.selector'))
        checkSupported(policy, EVICTION_POLICIES, 'spec.unhealthyPodEvictionPolicy', errors)
      }),
    ),
    onStatus(
      nonNegative('status.disruptionsAllowed', 'status.currentHealthy', 'status.desiredHealthy', 'status.expectedPods'),
      check<PodDisruptionBudget>(({ status }, errors) =>
        checkConditions(status?.conditions, 'status.conditions', errors),
      ),
    ),
  ],
  columns: [
    nameColumn,
    text('Min Available', ({ spec }) => String(spec?.minAvailable ?? 'N/A')),
    text('Max Unavailable', ({ spec }) => String(spec?.maxUnavailable ?? 'N/A')),
    count('Allowed Disruptions', ({ status }) => status?.disruptionsAllowed),
    ageColumn,
  ],
})
