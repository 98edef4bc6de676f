/** Rules of HorizontalPodAutoscalers (k8s.io/kubernetes `pkg/apis/autoscaling/validation`). */
import type {
  CrossVersionObjectReference,
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerSpec,
  HPAScalingPolicy,
  HPAScalingRules,
} from '../../generated/types/autoscaling-v2.ts'
import { forbidden, invalid, required } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { compareQuantities, quantityProblem } from '../../machinery/quantity.ts'
import { check, checkPositive, checkSupported, type Errors, nonNegative, onObject, onStatus } from '../rules.ts'
import { checkMetricSpec, checkObjectReference } from './metric.validate.ts'

const WINDOW_MAX = 3600
const PERIOD_MAX = 1800
const SELECT_POLICIES = ['Disabled', 'Max', 'Min']
const POLICIES = ['Percent', 'Pods']

function checkPolicy({ type = '', value = 0, periodSeconds = 0 }: HPAScalingPolicy, path: string, errors: Errors) {
  checkSupported(type, POLICIES, `${path}.type`, errors)
  checkPositive(value, `${path}.value`, errors)
  checkPositive(periodSeconds, `${path}.periodSeconds`, errors)
  if (periodSeconds > PERIOD_MAX) {
    errors.push(invalid(`${path}.periodSeconds`, periodSeconds, `must be less than or equal to ${PERIOD_MAX}`))
  }
}

function checkScaling(rules: HPAScalingRules | undefined, path: string, errors: Errors): void {
  if (!rules) return
  const { stabilizationWindowSeconds: seconds = 0, selectPolicy, policies = [], tolerance } = rules
  const at = `${path}.stabilizationWindowSeconds`
  if (seconds < 0) errors.push(invalid(at, seconds, 'must be greater than or equal to zero'))
  if (seconds > WINDOW_MAX) errors.push(invalid(at, seconds, `must be less than or equal to ${WINDOW_MAX}`))
  checkSupported(selectPolicy, SELECT_POLICIES, `${path}.selectPolicy`, errors)
  if (!policies.length) errors.push(required(`${path}.policies`, 'must specify at least one Policy'))
  for (const [index, policy] of policies.entries()) checkPolicy(policy, `${path}.policies[${index}]`, errors)
  if (tolerance === undefined || quantityProblem(tolerance) !== undefined) return
  if (compareQuantities(tolerance, '0') < 0) {
    errors.push(invalid(`${path}.tolerance`, tolerance, 'must be greater than or equal to 0'))
  }
}

function checkReplicas({ minReplicas, maxReplicas = 0 }: HorizontalPodAutoscalerSpec, errors: Errors): void {
  const at = 'spec.maxReplicas'
  if (minReplicas !== undefined && minReplicas < 1) {
    errors.push(invalid('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'))
  }
  if (maxReplicas === 0) errors.push(required(at, 'must be set and greater than 0'))
  else if (maxReplicas < 0) errors.push(invalid(at, maxReplicas, 'must be greater than or equal to 1'))
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    errors.push(invalid(at, maxReplicas, 'must be greater than or equal to `minReplicas`'))
  }
}

/** Without pods there is no use of theirs to measure. */
const NOTHING_TO_WAKE = 'must specify at least one Object or External metric to support scaling to zero replicas'

/** Replication controllers are the one kind of the core group that scales. */
const checkTarget = (target: CrossVersionObjectReference, errors: Errors) =>
  checkObjectReference(target, target.kind === 'ReplicationController', 'spec.scaleTargetRef', errors)

export const horizontalPodAutoscalerRules: readonly Rule<HorizontalPodAutoscaler>[] = [
  onObject(
    check<HorizontalPodAutoscaler>(({ spec = {} as HorizontalPodAutoscalerSpec }, errors) => {
      checkReplicas(spec, errors)
      checkTarget(spec.scaleTargetRef ?? {}, errors)
      for (const [index, metric] of (spec.metrics ?? []).entries()) {
        checkMetricSpec(metric, `spec.metrics[${index}]`, errors)
      }
      const outside = spec.metrics?.some(({ type }) => type === 'Object' || type === 'External')
      if (spec.minReplicas === 0 && !outside) errors.push(forbidden('spec.metrics', NOTHING_TO_WAKE))
      checkScaling(spec.behavior?.scaleUp, 'spec.behavior.scaleUp', errors)
      checkScaling(spec.behavior?.scaleDown, 'spec.behavior.scaleDown', errors)
    }),
  ),
  onStatus(nonNegative('status.currentReplicas', 'status.desiredReplicas')),
]
