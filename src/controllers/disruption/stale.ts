/** Takes back the mark of a disruption that did not come: the pod is still there some time after it (KEP-3329). */
import { isFinished } from '../../api/kinds/core/finished.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { parseTime, rfc3339 } from '../../api/machinery/time.ts'
import { defineController, type View } from '../../control/controller.ts'
import { after, type Plan } from '../../control/plan.ts'
import { conditionOf } from '../conditions.ts'
import { isTerminating, observedGeneration } from '../pods.ts'

/** What is marked is deleted within this time, or not at all; ms (upstream's stalePodDisruptionTimeout). */
const STALE_MS = 120_000

export const staleDisruptionController = defineController<Pod>({
  name: 'disruption-controller',
  queue: 'stale_pod_disruption',
  for: Pod,
  reconcile,
})

/** Plans the end of a mark. */
export function reconcile(pod: Pod, _view: View, now: number): Plan {
  const target = conditionOf(pod.status?.conditions, 'DisruptionTarget')
  if (target?.status !== 'True' || isTerminating(pod) || isFinished(pod)) return {}
  const due = (parseTime(target.lastTransitionTime) ?? now) + STALE_MS
  if (due > now) return { requeue: after(due - now) }
  const conditions = (pod.status?.conditions ?? []).map(each =>
    each === target
      ? {
          type: 'DisruptionTarget',
          status: 'False' as const,
          lastTransitionTime: rfc3339(now),
          ...observedGeneration(pod),
        }
      : each,
  )
  return { status: { ...pod, status: { ...pod.status, conditions } } as Pod }
}
