import type { DaemonSetStatus } from '../../api/generated/types/apps-v1.ts'
import { DaemonSet } from '../../api/kinds/apps/daemon-set.ts'
import { Node } from '../../api/kinds/core/node.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { isReady } from '../../api/kinds/core/ready.ts'
import { selectorFromLabelSelector } from '../../api/machinery/label-selector.ts'
import type { View } from '../../control/controller.ts'
import { after, done, type Plan, sooner, type Write } from '../../control/plan.ts'
import { omitEmpty } from '../conditions.ts'
import { claim } from '../owner.ts'
import { podCreation, podDeletion } from '../pod-writes.ts'
import { availableIn, podFromTemplate } from '../pods.ts'
import { historyOf, surplus } from '../revisions.ts'
import { type Changes, isAvailable, manage, type Scene, sceneOf } from './daemons.ts'
import { HASH_LABEL, isUpdated, templateFor } from './placement.ts'
import { roll } from './rolling-update.ts'

/** Pods made or deleted in one pass (upstream's BurstReplicas). */
const BURST = 250

/** Plans the pods of a DaemonSet, its history and its status. */
export function reconcile(set: DaemonSet, view: View, now: number): Plan {
  const selector = selectorFromLabelSelector(set.spec?.selector)
  if (selector.empty) return selectsEverything(set)
  // Whoever deletes it decides what becomes of pods and revisions.
  if (set.metadata?.deletionTimestamp) return {}
  const pods = view.of(Pod)
  const { children, writes } = claim({
    owner: set,
    ownerResource: DaemonSet,
    resource: Pod,
    owned: pods.byIndex('owner', set.metadata?.uid ?? ''),
    orphans: pods.byIndex('uncontrolled', set.metadata?.namespace ?? ''),
    matches: pod => selector.matches(pod.metadata?.labels),
  })
  if (writes.length > 0) return { writes }
  const { current, revisions, writes: revising } = historyOf(set, DaemonSet, view, HASH_LABEL)
  if (!current) return { writes: revising }
  const hash = current.metadata?.labels?.[HASH_LABEL] ?? ''
  const scene = sceneOf(set, view.of(Node).list(), children, hash, now, view.memory)
  const managed = manage(scene)
  const isStill = managed.start.length === 0 && managed.remove.length === 0
  const changes =
    isStill && set.spec?.updateStrategy?.type === 'RollingUpdate' ? { ...roll(scene), wait: managed.wait } : managed
  const planned = writesOf(scene, changes)
  const status = withStatus(scene)
  const live = new Set([...scene.pods.values()].flat().map(pod => pod.metadata?.labels?.[HASH_LABEL]))
  const isLive = (revision: (typeof revisions)[number]) =>
    revision === current || live.has(revision.metadata?.labels?.[HASH_LABEL])
  return {
    writes: planned.length > 0 ? planned : surplus(set, revisions, isLive),
    status,
    notes: changes.notes,
    otherwise: () => ({ status }),
    requeue: sooner(changes.wait === undefined ? done : after(changes.wait), nextAvailable(scene)),
  }
}

function selectsEverything(set: DaemonSet): Plan {
  const generation = set.metadata?.generation ?? 0
  if (set.status?.observedGeneration === generation) return {}
  const message = 'This daemon set is selecting all pods. A non-empty selector is required.'
  return {
    status: { ...set, status: { ...withStatusOf(set), observedGeneration: generation } } as DaemonSet,
    notes: [{ target: set, type: 'Warning', reason: 'SelectingAll', message }],
  }
}

const withStatusOf = (set: DaemonSet): DaemonSetStatus =>
  set.status ?? { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 }

function writesOf({ set, hash }: Scene, { start, remove }: Changes): Write[] {
  const creates = start
    .slice(0, BURST)
    .map(node => podCreation(set, podFromTemplate(templateFor(set, node, hash), DaemonSet, set)))
  const deletes = remove.slice(0, BURST).map(pod => podDeletion(set, pod))
  return [...creates, ...deletes]
}

function withStatus(scene: Scene): DaemonSet {
  const { set, nodes, pods, hash } = scene
  const counts = { desired: 0, current: 0, misplaced: 0, ready: 0, updated: 0, available: 0 }
  for (const node of nodes) {
    const [oldest] = pods.get(node.metadata?.name ?? '') ?? []
    if (!scene.wish(node).start) {
      if (oldest) counts.misplaced++
      continue
    }
    counts.desired++
    if (!oldest) continue
    counts.current++
    if (isReady(oldest)) counts.ready++
    if (isAvailable(scene, oldest)) counts.available++
    if (isUpdated(set, oldest, hash)) counts.updated++
  }
  const status = omitEmpty<DaemonSetStatus>(
    {
      currentNumberScheduled: counts.current,
      numberMisscheduled: counts.misplaced,
      desiredNumberScheduled: counts.desired,
      numberReady: counts.ready,
      observedGeneration: set.metadata?.generation ?? 0,
      updatedNumberScheduled: counts.updated,
      numberAvailable: counts.available,
      numberUnavailable: counts.desired - counts.available,
      ...(set.status?.collisionCount !== undefined && { collisionCount: set.status.collisionCount }),
      conditions: set.status?.conditions ?? [],
    },
    'currentNumberScheduled',
    'numberMisscheduled',
    'desiredNumberScheduled',
    'numberReady',
    'collisionCount',
  )
  return { ...set, status }
}

function nextAvailable({ set, pods, now }: Scene) {
  const waits = [...pods.values()].flat().flatMap(pod => availableIn(pod, set.spec?.minReadySeconds ?? 0, now) || [])
  return waits.length > 0 ? after(Math.min(...waits)) : done
}
