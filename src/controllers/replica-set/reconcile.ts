import type { ReplicaSetCondition, ReplicaSetStatus } from '../../api/generated/types/apps-v1.ts'
import { ReplicaSet } from '../../api/kinds/apps/replica-set.ts'
import { isFinished } from '../../api/kinds/core/finished.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { isReady } from '../../api/kinds/core/ready.ts'
import type { ReplicationController } from '../../api/kinds/core/replication-controller.ts'
import { type Selector, selectorFromLabelSelector } from '../../api/machinery/label-selector.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import type { Resource } from '../../client/resource.ts'
import type { View } from '../../control/controller.ts'
import { after, done, type Plan, type Write } from '../../control/plan.ts'
import { conditionOf, omitEmpty } from '../conditions.ts'
import { claim, controllerOf } from '../owner.ts'
import { podCreation, podDeletion } from '../pod-writes.ts'
import { availableIn, deletionOrder, isActive, isTerminating, podFromTemplate } from '../pods.ts'

/** Pods made or deleted in one pass (upstream's BurstReplicas). */
const BURST = 500

/** What is kept as many times as asked for: ReplicaSets and ReplicationControllers, which differ in their selector. */
export interface Flavour<T extends ReplicaSet | ReplicationController> {
  readonly resource: Resource<T>
  selector(set: T): Selector
  /** Pods on their way out are counted in the status. */
  readonly tellsTerminating: boolean
}

type AnySet = ReplicaSet | ReplicationController

export const replicaSets: Flavour<ReplicaSet> = {
  resource: ReplicaSet,
  selector: set => selectorFromLabelSelector(set.spec?.selector),
  tellsTerminating: true,
}

/** Plans the pods of a set and its status. */
export function reconcileReplicas<T extends AnySet>(set: T, flavour: Flavour<T>, view: View, now: number): Plan {
  const { resource } = flavour
  const selector = flavour.selector(set)
  const pods = view.of(Pod)
  const { children, writes } = claim({
    owner: set,
    ownerResource: resource,
    resource: Pod,
    owned: pods.byIndex('owner', set.metadata?.uid ?? ''),
    orphans: pods.byIndex('uncontrolled', set.metadata?.namespace ?? '').filter(pod => !isFinished(pod)),
    matches: pod => selector.matches(pod.metadata?.labels),
  })
  // Whose the pods are comes first: numbers mean nothing before.
  if (writes.length > 0) return { writes }
  const active = children.filter(isActive)
  const wanted = set.spec?.replicas ?? 1
  const missing = set.metadata?.deletionTimestamp ? 0 : wanted - active.length
  const planned =
    missing > 0
      ? creates(set, resource, missing)
      : missing < 0
        ? deletes(set, resource, active, -missing, view, now)
        : []
  const failing = (error: Error) => ({
    status: withStatus(set, flavour, children, now, {
      reason: missing > 0 ? 'FailedCreate' : 'FailedDelete',
      message: error.message,
    }),
  })
  return {
    writes: planned,
    status: withStatus(set, flavour, children, now, undefined),
    otherwise: failing,
    requeue: nextAvailable(set, active, now),
  }
}

function creates(set: AnySet, resource: Resource, count: number): Write[] {
  const pod = podFromTemplate(set.spec?.template ?? {}, resource, set)
  const write = podCreation(set, pod)
  return Array.from({ length: Math.min(count, BURST) }, () => write)
}

function deletes<T extends AnySet>(
  set: T,
  resource: Resource<T>,
  active: readonly Pod[],
  count: number,
  view: View,
  now: number,
): Write[] {
  const crowd = new Map<string, number>()
  for (const pod of relatedPods(set, resource, view)) {
    const node = pod.spec?.nodeName ?? ''
    if (isActive(pod)) crowd.set(node, (crowd.get(node) ?? 0) + 1)
  }
  return deletionOrder(active, pod => crowd.get(pod.spec?.nodeName ?? '') ?? 0, now)
    .slice(0, Math.min(count, BURST))
    .map(pod => podDeletion(set, pod))
}

/** Pods of all sets with the same owner: those of one Deployment crowd a node together. */
function relatedPods<T extends AnySet>(set: T, resource: Resource<T>, view: View): readonly Pod[] {
  const owner = controllerOf(set)
  const sets = owner ? view.of(resource).byIndex('owner', owner.uid) : [set]
  return sets.flatMap(each => view.of(Pod).byIndex('owner', each.metadata?.uid ?? ''))
}

interface Failure {
  readonly reason: string
  readonly message: string
}

function withStatus<T extends AnySet>(
  set: T,
  flavour: Flavour<T>,
  pods: readonly Pod[],
  now: number,
  failure: Failure | undefined,
): T {
  const active = pods.filter(isActive)
  const minReady = set.spec?.minReadySeconds ?? 0
  const labels = Object.entries(set.spec?.template?.metadata?.labels ?? {})
  const status: ReplicaSetStatus = omitEmpty<ReplicaSetStatus>(
    {
      replicas: active.length,
      fullyLabeledReplicas: active.filter(pod =>
        labels.every(([name, value]) => pod.metadata?.labels?.[name] === value),
      ).length,
      readyReplicas: active.filter(isReady).length,
      availableReplicas: active.filter(pod => availableIn(pod, minReady, now) === 0).length,
      ...(flavour.tellsTerminating && {
        terminatingReplicas: pods.filter(pod => isTerminating(pod) && !isFinished(pod)).length,
      }),
      observedGeneration: set.metadata?.generation ?? 0,
      conditions: conditions(set, failure, now),
    },
    'replicas',
    'terminatingReplicas',
  )
  return { ...set, status }
}

function conditions(set: AnySet, failure: Failure | undefined, now: number): ReplicaSetCondition[] {
  const others = (set.status?.conditions ?? []).filter(each => each.type !== 'ReplicaFailure')
  if (!failure) return others
  // The first failure stands until one pass succeeds.
  const known = conditionOf(set.status?.conditions, 'ReplicaFailure')
  if (known) return set.status?.conditions ?? []
  return [...others, { type: 'ReplicaFailure', status: 'True', ...failure, lastTransitionTime: rfc3339(now) }]
}

function nextAvailable(set: AnySet, active: readonly Pod[], now: number) {
  const waits = active
    .map(pod => availableIn(pod, set.spec?.minReadySeconds ?? 0, now))
    .filter(ms => ms !== undefined && ms > 0) as number[]
  return waits.length > 0 ? after(Math.min(...waits)) : done
}
