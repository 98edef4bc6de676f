/** What controllers ask of pods (as upstream's pkg/api/v1/pod and controller_utils). */
import type { Pod, PodTemplateSpec } from '../api/generated/types/core-v1.ts'
import { isFinished } from '../api/kinds/core/finished.ts'
import { podReferences } from '../api/kinds/core/pod-references.ts'
import { isReady } from '../api/kinds/core/ready.ts'
import type { KubeObject } from '../api/machinery/object.ts'
import { parseTime } from '../api/machinery/time.ts'
import { objectKey } from '../client/informer-types.ts'
import type { Resource } from '../client/resource.ts'
import { controllerReference } from './owner.ts'

export const isTerminating = (pod: Pod) => pod.metadata?.deletionTimestamp !== undefined

/** The generation of the pod that a new condition speaks of. */
export const observedGeneration = ({ metadata }: Pod): { observedGeneration?: number } =>
  metadata?.generation === undefined ? {} : { observedGeneration: metadata.generation }

/** Keys of the claims that a pod uses; those of generic ephemeral volumes too. An index. */
export const claimsOf = (pod: Pod): readonly string[] =>
  [...podReferences(pod, 'persistentvolumeclaims')].flatMap(name =>
    name ? [objectKey(pod.metadata?.namespace, name)] : [],
  )

/** Neither finished nor on its way out. */
export const isActive = (pod: Pod) => !isFinished(pod) && !isTerminating(pod)

const readyCondition = (pod: Pod) => pod.status?.conditions?.find(each => each.type === 'Ready')

/** When it became ready, ms; undefined while it is not. */
export function readySince(pod: Pod): number | undefined {
  const condition = readyCondition(pod)
  return condition?.status === 'True' ? (parseTime(condition.lastTransitionTime) ?? 0) : undefined
}

/** Milliseconds until a ready pod counts as available; 0 when it does, undefined when it is not ready. */
export function availableIn(pod: Pod, minReadySeconds: number, now: number): number | undefined {
  const since = readySince(pod)
  if (since === undefined) return undefined
  if (!minReadySeconds) return 0
  if (since === 0) return undefined
  return Math.max(since + minReadySeconds * 1000 - now, 0)
}

/** Restarts of the container that restarted most. */
export const maxRestarts = (pod: Pod) =>
  Math.max(0, ...(pod.status?.containerStatuses ?? []).map(each => each.restartCount ?? 0))

/** A pod from a template, controlled by `owner`, with a name still to be generated. */
export function podFromTemplate(
  template: PodTemplateSpec,
  resource: Resource,
  owner: KubeObject,
  generateName = `${owner.metadata?.name}-`,
): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {}
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName,
      ...(owner.metadata?.namespace && { namespace: owner.metadata.namespace }),
      ...(labels && { labels }),
      ...(annotations && { annotations }),
      ...(finalizers && { finalizers }),
      ownerReferences: [controllerReference(resource, owner)],
    },
    ...(template.spec && { spec: template.spec }),
  }
}

const COST = 'controller.kubernetes.io/pod-deletion-cost'

function deletionCost(pod: Pod): number {
  const text = pod.metadata?.annotations?.[COST]
  return text !== undefined && /^(0|-?[1-9][0-9]*)$/.test(text) ? Number(text) : 0
}

const PHASES: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 }
/** Ages of one order of magnitude are alike (KEP-2185). */
const magnitude = (ms: number) => (ms < 1e-6 ? -1 : Math.floor(Math.log2(Math.max(ms * 1e6, 1))))

/** Older counts as later; ages of one magnitude are ordered by uid, which is chance. */
function byAge(a: number | undefined, b: number | undefined, now: number, uidA: string, uidB: string): number {
  if (a === b) return 0
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1
  const left = magnitude(now - a)
  const right = magnitude(now - b)
  if (left !== right) return left - right
  return uidA < uidB ? -1 : uidA > uidB ? 1 : 0
}

/**
 * Order of deletion when there are too many, first to go first: not assigned, pending, not ready, cheaper, crowded
 * on a node (`rank`), ready for a shorter time, restarted more often, younger.
 */
export function deletionOrder(pods: readonly Pod[], rank: (pod: Pod) => number, now: number): Pod[] {
  const keyed = pods.map(pod => ({
    pod,
    uid: pod.metadata?.uid ?? '',
    assigned: pod.spec?.nodeName ? 1 : 0,
    phase: PHASES[pod.status?.phase ?? 'Pending'] ?? 0,
    ready: isReady(pod) ? 1 : 0,
    cost: deletionCost(pod),
    rank: rank(pod),
    since: readySince(pod) || undefined,
    restarts: maxRestarts(pod),
    created: parseTime(pod.metadata?.creationTimestamp),
  }))
  keyed.sort(
    (a, b) =>
      a.assigned - b.assigned ||
      a.phase - b.phase ||
      a.ready - b.ready ||
      a.cost - b.cost ||
      b.rank - a.rank ||
      (a.ready && b.ready ? byAge(a.since, b.since, now, a.uid, b.uid) : 0) ||
      b.restarts - a.restarts ||
      byAge(a.created, b.created, now, a.uid, b.uid),
  )
  return keyed.map(each => each.pod)
}
