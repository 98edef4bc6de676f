/** Rules of Deployment (k8s.io/kubernetes `pkg/apis/apps/validation`). */
import type { Deployment, DeploymentStrategy } from '../../generated/types/apps-v1.ts'
import { forbidden, invalid, notSupported, required } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import type { Errors } from '../rules.ts'
import {
  check,
  checkAtMostWhole,
  checkIntOrPercent,
  immutable,
  nonNegative,
  onObject,
  onStatus,
  sameValue,
} from '../rules.ts'
import { checkCounts, checkRunningTemplate, checkSelector } from './workload.validate.ts'

function checkStrategy(strategy: DeploymentStrategy | undefined, errors: Errors): void {
  const path = 'spec.strategy'
  const rolling = strategy?.rollingUpdate
  switch (strategy?.type) {
    case 'Recreate':
      if (rolling) {
        const why = "may not be specified when strategy `type` is 'Recreate'"
        errors.push(forbidden(`${path}.rollingUpdate`, why))
      }
      return
    case 'RollingUpdate': {
      const { maxUnavailable, maxSurge } = rolling ?? {}
      const at = `${path}.rollingUpdate.maxUnavailable`
      checkIntOrPercent(maxUnavailable, at, errors)
      checkIntOrPercent(maxSurge, `${path}.rollingUpdate.maxSurge`, errors)
      const none = (value: unknown) => value === 0 || value === '0%'
      if (none(maxUnavailable) && none(maxSurge)) {
        errors.push(invalid(at, maxUnavailable, 'may not be 0 when `maxSurge` is 0'))
      }
      checkAtMostWhole(maxUnavailable, at, errors)
      return
    }
    default:
      errors.push(notSupported(path, strategy, ['Recreate', 'RollingUpdate']))
  }
}

function checkSpec({ spec }: Deployment, errors: Errors, old: Deployment | undefined): void {
  if (!spec) {
    errors.push(required('spec.selector'))
    return
  }
  checkSelector(spec.selector, spec.template, 'deployment', errors)
  // A template that is not touched was good when it came.
  if (!old || !sameValue(spec.template, old.spec?.template)) checkRunningTemplate(spec.template, 'ReplicaSet', errors)
  checkStrategy(spec.strategy, errors)
  const { progressDeadlineSeconds: deadline, minReadySeconds = 0 } = spec
  if (deadline !== undefined && deadline <= minReadySeconds) {
    errors.push(invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'))
  }
}

export const deploymentRules: readonly Rule<Deployment>[] = [
  onObject(
    nonNegative('spec.replicas', 'spec.minReadySeconds', 'spec.revisionHistoryLimit', 'spec.progressDeadlineSeconds'),
    check(checkSpec),
    immutable('spec.selector'),
  ),
  onStatus(
    check(({ status }, errors, old) =>
      checkCounts(status, old?.status, ['updatedReplicas', 'readyReplicas', 'availableReplicas'], errors),
    ),
  ),
]
