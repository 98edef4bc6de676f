/** Rules of ReplicaSet (k8s.io/kubernetes `pkg/apis/apps/validation`). */
import type { ReplicaSet } from '../../generated/types/apps-v1.ts'
import { required } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { check, immutable, nonNegative, onObject, onStatus, sameValue } from '../rules.ts'
import { checkCounts, checkRunningTemplate, checkSelector } from './workload.validate.ts'

export const replicaSetRules: readonly Rule<ReplicaSet>[] = [
  onObject(
    nonNegative('spec.replicas', 'spec.minReadySeconds'),
    check<ReplicaSet>(({ spec }, errors, old) => {
      if (!spec) {
        errors.push(required('spec.selector'))
        return
      }
      // Upstream says deployment here too.
      checkSelector(spec.selector, spec.template, 'deployment', errors)
      if (!old || !sameValue(spec.template, old.spec?.template)) {
        checkRunningTemplate(spec.template, 'ReplicaSet', errors)
      }
    }),
    immutable('spec.selector'),
  ),
  onStatus(
    check<ReplicaSet>(({ status }, errors, old) =>
      checkCounts(status, old?.status, ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'], errors),
    ),
  ),
]
