/** Removes pods that nobody else will: of nodes that are gone, never bound and deleted, or finished long ago. */
import { isFinished } from '../../api/kinds/core/finished.ts'
import { Node } from '../../api/kinds/core/node.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { parseTime } from '../../api/machinery/time.ts'
import { keyOf } from '../../client/informer-types.ts'
import { defineController, read, type View, watch } from '../../control/controller.ts'
import { after, type Plan, type Write } from '../../control/plan.ts'
import { conditionOf, withCondition } from '../conditions.ts'
import { isTerminating, observedGeneration } from '../pods.ts'
import { podsByNode } from '../pods-by-node.ts'

/** Finished pods that are kept (upstream's terminated-pod-gc-threshold). */
const KEPT = 12_500
/** A node may be younger than its cache: only what was bound this long ago counts as orphaned, ms. */
const QUARANTINE_MS = 40_000

const finished = (pod: Pod): readonly string[] => (isFinished(pod) ? [''] : [])

export const podGarbageController = defineController<Pod>({
  name: 'pod-garbage-collector',
  queue: 'orphaned_pods_nodes',
  for: Pod,
  watches: [
    watch(Node, ({ previous, current }, view) =>
      previous && !current
        ? view
            .of(Pod)
            .byIndex('node', previous.metadata?.name ?? '')
            .map(keyOf)
        : [],
    ),
  ],
  reads: [read(Pod, { node: podsByNode, finished })],
  reconcile,
})

const remove = (pod: Pod): Write => ({ type: 'delete', resource: Pod, object: pod, options: { gracePeriodSeconds: 0 } })

/** Plans the removal of one pod. */
export function reconcile(pod: Pod, view: View, now: number): Plan {
  const node = pod.spec?.nodeName
  if (!node) return isTerminating(pod) ? { writes: [remove(pod)] } : excess(pod, view)
  if (view.of(Node).get(node)) return excess(pod, view)
  const scheduled = conditionOf(pod.status?.conditions, 'PodScheduled')
  const since = parseTime(scheduled?.lastTransitionTime ?? pod.metadata?.creationTimestamp) ?? 0
  if (since + QUARANTINE_MS > now) return { requeue: after(since + QUARANTINE_MS - now) }
  return { writes: [...(isFinished(pod) ? [] : [failed(pod, now)]), remove(pod)] }
}

function failed(pod: Pod, now: number): Write {
  const conditions = withCondition(
    pod.status?.conditions,
    {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByPodGC',
      message: 'PodGC: node no longer exists',
    },
    now,
    observedGeneration(pod),
  )
  const next = { ...pod, status: { ...pod.status, phase: 'Failed', conditions } } as Pod
  return { type: 'status', resource: Pod, current: pod, next }
}

/** The oldest finished pods beyond those that are kept. */
function excess(pod: Pod, view: View): Plan {
  if (!isFinished(pod) || isTerminating(pod)) return {}
  const all = view.of(Pod).byIndex('finished', '')
  if (all.length <= KEPT) return {}
  const created = pod.metadata?.creationTimestamp ?? ''
  const younger = all.filter(each => (each.metadata?.creationTimestamp ?? '') > created).length
  return younger >= KEPT ? { writes: [remove(pod)] } : {}
}
