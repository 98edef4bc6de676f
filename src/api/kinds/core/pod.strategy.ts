/**
 * What the server sets on a pod and keeps a client from setting (k8s.io/kubernetes `pkg/registry/core/pod/strategy.go`).
 */
import type { Pod, PodAffinityTerm, PodSpec } from '../../generated/types/core-v1.ts'
import type { LabelSelector } from '../../generated/types/meta-v1.ts'
import type { RuleContext } from '../../machinery/kind.ts'
import { isFinished } from './finished.ts'
import { resizedSpec } from './pod-resize.ts'
import { dropGatedFields } from './pod-spec.gates.ts'
import { hostnameWarnings, podTemplateWarnings } from './pod-warnings.ts'
import { qosClass } from './resources.ts'

type Expression = NonNullable<LabelSelector['matchExpressions']>[number]

/** The pod's own values of some label keys, as requirements of a selector. */
function addLabelKeys(
  selector: LabelSelector | undefined,
  keys: readonly string[] | undefined,
  operator: 'In' | 'NotIn',
  labels: Readonly<Record<string, string>>,
): void {
  if (!selector || !keys?.length) return
  const added: Expression[] = keys.flatMap(key =>
    labels[key] === undefined ? [] : [{ key, operator, values: [labels[key]] }],
  )
  if (added.length) selector.matchExpressions = [...(selector.matchExpressions ?? []), ...added]
}

/** matchLabelKeys and mismatchLabelKeys become part of the selectors (KEP-3633, KEP-3243). */
function resolveLabelKeys({ metadata, spec }: Pod): void {
  const labels = metadata?.labels ?? {}
  const terms: PodAffinityTerm[] = []
  for (const affinity of [spec?.affinity?.podAffinity, spec?.affinity?.podAntiAffinity]) {
    terms.push(...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []))
    for (const { podAffinityTerm } of affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []) {
      terms.push(podAffinityTerm)
    }
  }
  for (const { labelSelector, matchLabelKeys, mismatchLabelKeys } of terms) {
    addLabelKeys(labelSelector, matchLabelKeys, 'In', labels)
    addLabelKeys(labelSelector, mismatchLabelKeys, 'NotIn', labels)
  }
  for (const { labelSelector, matchLabelKeys } of spec?.topologySpreadConstraints ?? []) {
    addLabelKeys(labelSelector, matchLabelKeys, 'In', labels)
  }
}

export function preparePod(pod: Pod): void {
  pod.status = { phase: 'Pending', qosClass: qosClass(pod) }
  if (pod.spec?.schedulingGates?.length) {
    pod.status.conditions = [
      {
        type: 'PodScheduled',
        status: 'False',
        ...(pod.metadata?.creationTimestamp && { lastTransitionTime: pod.metadata.creationTimestamp }),
        reason: 'SchedulingGated',
        message: 'Scheduling is blocked due to non-empty scheduling gates',
      },
    ]
  }
  const seconds = pod.spec?.terminationGracePeriodSeconds ?? 0
  if (pod.spec && seconds < 0) pod.spec.terminationGracePeriodSeconds = 1
  dropGatedFields(pod.spec)
  resolveLabelKeys(pod)
}

export function preparePodUpdate(pod: Pod, old: Pod, { subresource }: RuleContext): void {
  if (subresource === 'status') {
    // Kubelets of old cleared owner references through the status, which breaks garbage collection.
    const { ownerReferences: _, ...meta } = pod.metadata ?? {}
    const owners = old.metadata?.ownerReferences
    pod.metadata = owners ? { ...meta, ownerReferences: owners } : meta
    const { podIP, podIPs } = pod.status ?? {}
    // The older field is believed where the two do not agree.
    if (podIP && podIPs?.[0]?.ip !== podIP) pod.status = { ...pod.status, podIPs: [{ ip: podIP }] }
    delete pod.status?.nodeAllocatableResourceClaimStatuses
    if (old.status?.qosClass) pod.status = { ...pod.status, qosClass: pod.status?.qosClass || old.status.qosClass }
    return
  }
  if (subresource === 'ephemeralcontainers' || subresource === 'resize') keepOthers(pod, old, subresource)
  dropGatedFields(pod.spec)
}

/** Metadata that the parts of a pod do not change, whatever they are told. */
const KEPT_METADATA = [
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'finalizers',
  'ownerReferences',
] as const

/** Ephemeral containers are all that `ephemeralcontainers` changes, and `resize` resources and their policies. */
function keepOthers(pod: Pod, old: Pod, subresource: 'ephemeralcontainers' | 'resize'): void {
  if (subresource === 'resize') {
    const spec = resizedSpec(pod.spec, old.spec)
    if (!spec) return
    pod.spec = spec
  } else {
    const { ephemeralContainers: _, ...spec }: PodSpec = old.spec ?? { containers: [] }
    const containers = pod.spec?.ephemeralContainers
    pod.spec = { ...spec, ...(containers && { ephemeralContainers: containers }) }
  }
  if (old.status) pod.status = old.status
  else delete pod.status
  const metadata: NonNullable<Pod['metadata']> = { ...pod.metadata }
  for (const field of KEPT_METADATA) {
    delete metadata[field]
    Object.assign(metadata, old.metadata?.[field] !== undefined && { [field]: old.metadata[field] })
  }
  pod.metadata = metadata
}

/** Seconds between the stop signal and the kill; 0 where nothing runs. */
export function podGracePeriod(pod: Pod, requested: number | undefined): number {
  const { spec } = pod
  if (!spec?.nodeName || isFinished(pod)) return 0
  const seconds = requested ?? spec.terminationGracePeriodSeconds ?? 0
  return seconds < 0 ? 1 : seconds
}

export function podWarnings(pod: Pod, old: Pod | undefined): string[] {
  if (old) return []
  return [...hostnameWarnings(pod.metadata?.name, "the Pod's hostname"), ...podTemplateWarnings(pod)]
}
