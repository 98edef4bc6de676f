/** Defaults of a Job and what the server fills in when one is made (k8s.io/kubernetes `pkg/registry/batch/job`). */
import type { Job, JobSpec } from '../../generated/types/batch-v1.ts'
import { defaultPodSpec } from '../core/pod-spec.defaults.ts'
import { adoptLabels } from '../core/template-labels.ts'

export const JOB_NAME_LABEL = 'batch.kubernetes.io/job-name'
export const LEGACY_JOB_NAME_LABEL = 'job-name'
export const CONTROLLER_UID_LABEL = 'batch.kubernetes.io/controller-uid'
export const LEGACY_CONTROLLER_UID_LABEL = 'controller-uid'

/** Fills in, in place, the status that conditions of a failure policy are looked for with. */
export function defaultFailurePolicy({ podFailurePolicy }: JobSpec): void {
  for (const rule of podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) pattern.status ||= 'True'
  }
}

export function defaultJob(job: Job): void {
  const { spec } = job
  if (!spec) return
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1
  spec.parallelism ??= 1
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2147483647
  spec.completionMode ??= 'NonIndexed'
  spec.suspend ??= false
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed'
  spec.manualSelector ??= false
  defaultFailurePolicy(spec)
  adoptLabels(job)
  defaultPodSpec(spec.template?.spec)
}

/** Selector and labels that only this job's pods have, made of its name and uid. */
export function generateSelector(job: Job): void {
  const { spec, metadata } = job
  if (!spec?.template || spec.manualSelector) return
  const name = metadata?.name ?? ''
  const uid = metadata?.uid ?? ''
  const own = spec.template.metadata?.labels
  const labels = {
    [LEGACY_JOB_NAME_LABEL]: name,
    [JOB_NAME_LABEL]: name,
    [LEGACY_CONTROLLER_UID_LABEL]: uid,
    [CONTROLLER_UID_LABEL]: uid,
    ...own,
  }
  // Labels that the job took from its pods stay theirs.
  if (own && metadata?.labels === own) metadata.labels = { ...labels }
  spec.template.metadata = { ...spec.template.metadata, labels }
  spec.selector = { ...spec.selector, matchLabels: { [CONTROLLER_UID_LABEL]: uid, ...spec.selector?.matchLabels } }
}

export function prepareJob(job: Job): void {
  job.status = {}
}
