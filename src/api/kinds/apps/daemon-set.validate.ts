/** Rules of DaemonSet (k8s.io/kubernetes `pkg/apis/apps/validation`). */
import type { DaemonSet } from '../../generated/types/apps-v1.ts'
import { invalid, notSupported, required } from '../../machinery/field-error.ts'
import { type IntOrString, parsePercent } from '../../machinery/int-or-string.ts'
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

function checkStrategy({ spec }: DaemonSet, errors: Errors): void {
  const strategy = spec?.updateStrategy
  const path = 'spec.updateStrategy'
  if (strategy?.type === 'OnDelete') return
  if (strategy?.type !== 'RollingUpdate') {
    errors.push(notSupported(path, strategy, ['RollingUpdate', 'OnDelete']))
    return
  }
  const { maxUnavailable, maxSurge } = strategy.rollingUpdate ?? {}
  const at = `${path}.rollingUpdate`
  checkIntOrPercent(maxUnavailable, `${at}.maxUnavailable`, errors)
  checkAtMostWhole(maxUnavailable, `${at}.maxUnavailable`, errors)
  checkIntOrPercent(maxSurge, `${at}.maxSurge`, errors)
  checkAtMostWhole(maxSurge, `${at}.maxSurge`, errors)
  const some = (value: IntOrString | undefined) => (typeof value === 'string' ? parsePercent(value) : value) || false
  if (some(maxUnavailable) && some(maxSurge)) {
    errors.push(invalid(`${at}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'))
  } else if (!some(maxUnavailable) && !some(maxSurge)) {
    errors.push(required(`${at}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'))
  }
}

export const daemonSetRules: readonly Rule<DaemonSet>[] = [
  onObject(
    nonNegative('spec.minReadySeconds', 'spec.revisionHistoryLimit'),
    check<DaemonSet>(({ spec }, errors, old) => {
      checkSelector(spec?.selector, spec?.template, 'daemonset', errors)
      if (!old || !sameValue(spec?.template, old.spec?.template)) {
        checkRunningTemplate(spec?.template, 'DaemonSet', errors)
      }
    }),
    check(checkStrategy),
    immutable('spec.selector'),
  ),
  onStatus(check<DaemonSet>(({ status }, errors, old) => checkCounts(status, old?.status, [], errors))),
]
