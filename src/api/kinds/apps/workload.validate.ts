/** Rules that Deployment, ReplicaSet and their like share (k8s.io/kubernetes `pkg/apis/apps/validation`). */
import type { PodTemplateSpec } from '../../generated/types/core-v1.ts'
import type { LabelSelector } from '../../generated/types/meta-v1.ts'
import { forbidden, invalid, notSupported, required } from '../../machinery/field-error.ts'
import { selectorFromLabelSelector, validateLabelSelector } from '../../machinery/label-selector.ts'
import { checkPodTemplate } from '../core/pod-spec.validate.ts'
import type { Errors } from '../rules.ts'
import { checkNonNegative } from '../rules.ts'

/** The selector is there, selects something, and selects the template's pods. `kind` is named in a message. */
export function checkSelector(
  selector: LabelSelector | undefined,
  template: PodTemplateSpec | undefined,
  kind: string,
  errors: Errors,
): void {
  const path = 'spec.selector'
  if (!selector) {
    // A daemon set without one only selects nothing.
    if (kind !== 'daemonset') errors.push(required(path))
  } else {
    const problems = validateLabelSelector(selector, path)
    errors.push(...problems)
    if (!Object.keys(selector.matchLabels ?? {}).length && !selector.matchExpressions?.length) {
      errors.push(invalid(path, selector, `empty selector is invalid for ${kind}`))
    } else if (problems.length) {
      // Upstream says it twice, but not of daemon sets.
      if (kind !== 'daemonset') {
        errors.push(invalid(path, selector, kind === 'statefulset' ? '' : 'invalid label selector'))
      }
      return
    }
  }
  const labels = template?.metadata?.labels ?? {}
  const compiled = selectorFromLabelSelector(selector)
  if (!compiled.empty && !compiled.matches(labels)) {
    const shown = template?.metadata?.labels ?? null
    errors.push(invalid('spec.template.metadata.labels', shown, '`selector` does not match template `labels`'))
  }
}

/** A template of pods that are kept running. `kind` is named in a message. */
export function checkRunningTemplate(template: PodTemplateSpec | undefined, kind: string, errors: Errors): void {
  checkPodTemplate(template, 'spec.template', errors)
  const policy = template?.spec?.restartPolicy
  if (policy !== 'Always') errors.push(notSupported('spec.template.spec.restartPolicy', policy ?? '', ['Always']))
  if (template?.spec?.activeDeadlineSeconds !== undefined) {
    const why = `activeDeadlineSeconds in ${kind} is not Supported`
    errors.push(forbidden('spec.template.spec.activeDeadlineSeconds', why))
  }
}

interface Counts {
  replicas?: number
  readyReplicas?: number
  availableReplicas?: number
  collisionCount?: number
}

/**
 * Counts of a status are not negative, and parts are not more than the whole. `parts` are names of counts; `ready` is
 * what a message calls the count of those that are ready.
 */
export function checkCounts<T extends Counts>(
  next: T | undefined,
  old: T | undefined,
  parts: readonly (keyof T & string)[],
  errors: Errors,
  ready = 'readyReplicas',
): void {
  const status = next ?? ({} as T)
  for (const [field, value] of Object.entries(status)) {
    if (typeof value === 'number') checkNonNegative(value, `status.${field}`, errors)
  }
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0, collisionCount = 0 } = status
  for (const part of parts) {
    const value = (status[part] as number | undefined) ?? 0
    if (value > replicas) errors.push(invalid(`status.${part}`, value, 'cannot be greater than status.replicas'))
  }
  if (availableReplicas > readyReplicas) {
    errors.push(invalid('status.availableReplicas', availableReplicas, `cannot be greater than ${ready}`))
  }
  if (collisionCount < (old?.collisionCount ?? 0)) {
    errors.push(invalid('status.collisionCount', collisionCount, 'cannot be decremented'))
  }
}
