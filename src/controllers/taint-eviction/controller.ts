/** Deletes pods that do not tolerate a NoExecute taint of their node, at once or when their toleration runs out. */
import type { Taint } from '../../api/generated/types/core-v1.ts'
import { Node } from '../../api/kinds/core/node.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { tolerates } from '../../api/machinery/node-match.ts'
import { parseTime } from '../../api/machinery/time.ts'
import { keyOf } from '../../client/informer-types.ts'
import { defineController, read, type View, watch } from '../../control/controller.ts'
import { after, type Plan } from '../../control/plan.ts'
import { equalJson } from '../../lib/json.ts'
import { withCondition } from '../conditions.ts'
import { isTerminating, observedGeneration } from '../pods.ts'
import { podsByNode } from '../pods-by-node.ts'

const executing = (node: Node | undefined): Taint[] =>
  (node?.spec?.taints ?? []).filter(each => each.effect === 'NoExecute')

export const taintEvictionController = defineController<Pod>({
  name: 'taint-eviction-controller',
  queue: 'noexec_taint_pod',
  for: Pod,
  watches: [
    watch(Node, ({ previous, current }, view) => {
      const before = executing(previous)
      const now = executing(current)
      if (equalJson(before, now)) return []
      const name = (current ?? previous)?.metadata?.name ?? ''
      return view.of(Pod).byIndex('node', name).map(keyOf)
    }),
  ],
  reads: [read(Pod, { node: podsByNode })],
  reconcile,
})

/** Plans the eviction of a pod. */
export function reconcile(pod: Pod, view: View, now: number): Plan {
  if (!pod.spec?.nodeName || isTerminating(pod)) return {}
  const taints = executing(view.of(Node).get(pod.spec.nodeName))
  let due = Number.POSITIVE_INFINITY
  for (const taint of taints) {
    const tolerations = (pod.spec.tolerations ?? []).filter(each => tolerates(each, taint))
    if (tolerations.length === 0) return evict(pod, now)
    const seconds = Math.min(...tolerations.map(each => each.tolerationSeconds ?? Number.POSITIVE_INFINITY))
    const since = parseTime(taint.timeAdded) ?? now
    due = Math.min(due, since + Math.max(seconds, 0) * 1000)
  }
  if (due <= now) return evict(pod, now)
  return Number.isFinite(due) ? { requeue: after(due - now) } : {}
}

function evict(pod: Pod, now: number): Plan {
  const conditions = withCondition(
    pod.status?.conditions,
    {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByTaintManager',
      message: 'Taint manager: deleting due to NoExecute taint',
    },
    now,
    observedGeneration(pod),
  )
  const { namespace, name } = pod.metadata ?? {}
  const next = { ...pod, status: { ...pod.status, conditions } } as Pod
  return {
    writes: [
      { type: 'status', resource: Pod, current: pod, next },
      {
        type: 'delete',
        resource: Pod,
        object: pod,
        done: () => ({
          target: pod,
          type: 'Normal',
          reason: 'TaintManagerEviction',
          message: `Marking for deletion Pod ${namespace}/${name}`,
        }),
      },
    ],
  }
}
