/** Counts what PodDisruptionBudgets allow: the eviction of a pod asks their status. */
import type { PodDisruptionBudgetStatus } from '../../api/generated/types/policy-v1.ts'
import { Deployment } from '../../api/kinds/apps/deployment.ts'
import { ReplicaSet } from '../../api/kinds/apps/replica-set.ts'
import { StatefulSet } from '../../api/kinds/apps/stateful-set.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { isReady } from '../../api/kinds/core/ready.ts'
import { ReplicationController } from '../../api/kinds/core/replication-controller.ts'
import { PodDisruptionBudget } from '../../api/kinds/policy/pod-disruption-budget.ts'
import { scaledValue } from '../../api/machinery/int-or-string.ts'
import { selectorFromLabelSelector } from '../../api/machinery/label-selector.ts'
import { parseTime } from '../../api/machinery/time.ts'
import { keyOf, objectKey } from '../../client/informer-types.ts'
import { defineController, read, type View, watch } from '../../control/controller.ts'
import { after, done, type Plan } from '../../control/plan.ts'
import { withCondition } from '../conditions.ts'
import { controllerOf } from '../owner.ts'
import { isTerminating } from '../pods.ts'

/** An eviction that was allowed must show within this time, or it is taken back; ms. */
const EVICTION_MS = 120_000

export const disruptionController = defineController<PodDisruptionBudget>({
  name: 'disruption-controller',
  queue: 'disruption',
  for: PodDisruptionBudget,
  watches: [
    watch(Pod, ({ previous, current }, view) =>
      view
        .of(PodDisruptionBudget)
        .list((current ?? previous)?.metadata?.namespace)
        .filter(({ spec }) =>
          [previous, current].some(
            pod => pod && selectorFromLabelSelector(spec?.selector).matches(pod.metadata?.labels),
          ),
        )
        .map(keyOf),
    ),
  ],
  reads: [read(ReplicaSet), read(Deployment), read(StatefulSet), read(ReplicationController)],
  reconcile,
})

/** Plans the status of a budget. */
export function reconcile(budget: PodDisruptionBudget, view: View, now: number): Plan {
  const selector = selectorFromLabelSelector(budget.spec?.selector)
  const pods = view
    .of(Pod)
    .list(budget.metadata?.namespace)
    .filter(pod => selector.matches(pod.metadata?.labels))
  let counts: { expected: number; desired: number }
  try {
    counts = countsOf(budget, pods, view)
  } catch (error) {
    return failed(budget, (error as Error).message, now)
  }
  const { disrupted, recheck } = pending(budget, pods, now)
  const isDisrupted = ({ metadata }: Pod) => Object.hasOwn(disrupted, metadata?.name ?? '')
  const healthy = pods.filter(pod => !isTerminating(pod) && isReady(pod) && !isDisrupted(pod)).length
  const allowed = counts.expected > 0 ? Math.max(healthy - counts.desired, 0) : 0
  const state = allowed > 0 ? (['True', 'SufficientPods'] as const) : (['False', 'InsufficientPods'] as const)
  const status: PodDisruptionBudgetStatus = {
    observedGeneration: budget.metadata?.generation ?? 0,
    currentHealthy: healthy,
    desiredHealthy: counts.desired,
    expectedPods: counts.expected,
    disruptionsAllowed: allowed,
    ...(Object.keys(disrupted).length > 0 && { disruptedPods: disrupted }),
    conditions: conditions(budget, state[0], state[1], '', now),
  }
  return {
    status: { ...budget, status } as PodDisruptionBudget,
    requeue: recheck === undefined ? done : after(recheck - now),
  }
}

function conditions(
  budget: PodDisruptionBudget,
  status: 'True' | 'False',
  reason: string,
  message: string,
  now: number,
) {
  const observedGeneration = budget.metadata?.generation ?? 0
  const state = { type: 'DisruptionAllowed', status, reason, message }
  return withCondition(budget.status?.conditions, state, now, { observedGeneration })
}

function failed(budget: PodDisruptionBudget, message: string, now: number): Plan {
  const status = {
    ...budget.status,
    disruptionsAllowed: 0,
    conditions: conditions(budget, 'False', 'SyncFailed', message, now),
  }
  return { status: { ...budget, status } as PodDisruptionBudget }
}

function countsOf({ spec }: PodDisruptionBudget, pods: readonly Pod[], view: View) {
  if (spec?.maxUnavailable !== undefined) {
    const expected = expectedOf(pods, view)
    return { expected, desired: Math.max(expected - scaledValue(spec.maxUnavailable, expected, true), 0) }
  }
  if (typeof spec?.minAvailable === 'number') return { expected: pods.length, desired: spec.minAvailable }
  const expected = expectedOf(pods, view)
  return { expected, desired: scaledValue(spec?.minAvailable ?? 0, expected, true) }
}

/** Replicas that the owners of these pods want together. Throws for pods whose owner has no such number. */
function expectedOf(pods: readonly Pod[], view: View): number {
  const scales = new Map<string, number>()
  for (const pod of pods) {
    const namespace = pod.metadata?.namespace
    const owner = controllerOf(pod)
    if (!owner) throw new Error(`found no controller ref for pod "${pod.metadata?.name}"`)
    const key = objectKey(namespace, owner.name)
    if (owner.kind === 'StatefulSet') {
      scales.set(owner.uid, view.of<StatefulSet>(StatefulSet).get(key)?.spec?.replicas ?? 1)
      continue
    }
    if (owner.kind === 'ReplicationController') {
      scales.set(owner.uid, view.of<ReplicationController>(ReplicationController).get(key)?.spec?.replicas ?? 1)
      continue
    }
    const set = owner.kind === 'ReplicaSet' ? view.of<ReplicaSet>(ReplicaSet).get(key) : undefined
    if (!set) throw new Error(`found no controllers for pod "${pod.metadata?.name}"`)
    const above = controllerOf(set)
    const deployment = above && view.of<Deployment>(Deployment).get(objectKey(namespace, above.name))
    scales.set(above?.uid ?? owner.uid, deployment?.spec?.replicas ?? set.spec?.replicas ?? 1)
  }
  return [...scales.values()].reduce((sum, each) => sum + each, 0)
}

/** Evictions that were allowed and do not show yet, and when the first of them is given up. */
function pending(budget: PodDisruptionBudget, pods: readonly Pod[], now: number) {
  const disrupted: Record<string, string> = {}
  const allowed = new Map(Object.entries(budget.status?.disruptedPods ?? {}))
  let recheck: number | undefined
  for (const pod of pods) {
    const name = pod.metadata?.name ?? ''
    const time = allowed.get(name)
    const due = (parseTime(time) ?? 0) + EVICTION_MS
    if (!time || isTerminating(pod) || due <= now) continue
    disrupted[name] = time
    recheck = Math.min(recheck ?? due, due)
  }
  return { disrupted, recheck }
}
