/** Pods of a Job: how they are made, told apart and counted. */
import type { Container } from '../../api/generated/types/core-v1.ts'
import { Job } from '../../api/kinds/batch/job.ts'
import type { Pod } from '../../api/kinds/core/pod.ts'
import { parseTime } from '../../api/machinery/time.ts'
import { controllerOf } from '../owner.ts'
import { isTerminating, podFromTemplate } from '../pods.ts'

/** Keeps a finished pod until it was counted (KEP-2307). */
export const TRACKING = 'batch.kubernetes.io/job-tracking'
const INDEX = 'batch.kubernetes.io/job-completion-index'

/** Index of pods by the key of the Job that controls them, whatever its uid. */
export const podsByJob = (pod: Pod): readonly string[] => {
  const owner = pod.metadata?.ownerReferences?.find(each => each.controller)
  return owner?.kind === 'Job' ? [`${pod.metadata?.namespace}/${owner.name}`] : []
}

export const ownerUid = (pod: Pod) => controllerOf(pod)?.uid
export const isTracked = (pod: Pod) => pod.metadata?.finalizers?.includes(TRACKING) ?? false
export const isIndexed = (job: Job) => job.spec?.completionMode === 'Indexed'
export const succeeded = (pod: Pod) => pod.status?.phase === 'Succeeded'

/** Only a pod in phase Failed has failed; otherwise one that is being deleted has as well. */
export const waitsForFailure = (job: Job) =>
  job.spec?.podReplacementPolicy === 'Failed' || job.spec?.podFailurePolicy !== undefined

export const failed = (job: Job, pod: Pod) =>
  pod.status?.phase === 'Failed' || (!waitsForFailure(job) && isTerminating(pod) && !succeeded(pod))

/** The completion index of a pod; -1 where it has none. */
export function indexOf(pod: Pod): number {
  const text = pod.metadata?.annotations?.[INDEX] ?? pod.metadata?.labels?.[INDEX]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : -1
}

/** A pod of the Job, for a completion index where the Job is indexed. */
export function jobPod(job: Job, index: number | undefined): Pod {
  const name = job.metadata?.name ?? ''
  const template = job.spec?.template ?? {}
  const pod = podFromTemplate(template, Job, job, index === undefined ? `${name}-` : `${name}-${index}-`)
  const metadata = { ...pod.metadata, finalizers: [...(pod.metadata?.finalizers ?? []), TRACKING] }
  if (index === undefined) return { ...pod, metadata }
  const mark = { [INDEX]: String(index) }
  const withIndex = (containers: readonly Container[] | undefined) => containers?.map(indexedContainer)
  const { containers = [], initContainers } = pod.spec ?? {}
  return {
    ...pod,
    metadata: {
      ...metadata,
      annotations: { ...metadata.annotations, ...mark },
      labels: { ...metadata.labels, ...mark },
    },
    spec: {
      ...pod.spec,
      hostname: `${name}-${index}`,
      containers: withIndex(containers) ?? [],
      ...(initContainers && { initContainers: withIndex(initContainers) }),
    } as NonNullable<Pod['spec']>,
  }
}

function indexedContainer(container: Container): Container {
  if (container.env?.some(each => each.name === 'JOB_COMPLETION_INDEX')) return container
  const valueFrom = { fieldRef: { fieldPath: `metadata.labels['${INDEX}']` } }
  return { ...container, env: [...(container.env ?? []), { name: 'JOB_COMPLETION_INDEX', valueFrom }] }
}

/** When a finished pod ended, ms: by its containers, else by its conditions, else by its deletion. */
export function finishedAt(pod: Pod): number {
  const times = (pod.status?.containerStatuses ?? []).map(each => parseTime(each.state?.terminated?.finishedAt))
  if (times.length > 0 && times.every(each => each !== undefined)) return Math.max(...(times as number[]))
  const ready = pod.status?.conditions?.find(each => each.type === 'Ready')
  return (
    parseTime(ready?.lastTransitionTime) ??
    parseTime(pod.metadata?.deletionTimestamp) ??
    parseTime(pod.metadata?.creationTimestamp) ??
    0
  )
}
