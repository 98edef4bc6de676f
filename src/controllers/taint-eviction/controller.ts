/**
 * Deletes pods that do not tolerate a NoExecute taint of their node, at once or when their toleration runs out. That is
 * counted from when it was noticed here, as upstream does, and not from `timeAdded`: while this program did not run, the
 * node could not say that it is well again.
 */
import type { Taint } from '../../api/generated/types/core-v1.ts'
import { Node } from '../../api/kinds/core/node.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { tolerates } from '../../api/machinery/node-match.ts'
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
  absent(key, { memory }) {
    memory.delete(key)
    return {}
  },
})

/** What is remembered of a pod that may stay for a while. */
interface Tolerated {
  readonly uid: string | undefined
  readonly since: number
}

/** Plans the eviction of a pod. */
export function reconcile(pod: Pod, { of, memory }: View, now: number): Plan {
  const key = keyOf(pod)
  const { nodeName, tolerations = [] } = pod.spec ?? {}
  const taints = nodeName && !isTerminating(pod) ? executing(of(Node).get(nodeName)) : []
  const used = taints.map(taint => tolerations.find(each => tolerates(each, taint)))
  if (used.includes(undefined)) return evict(pod, now)
  const seconds = Math.min(...used.map(each => each?.tolerationSeconds ?? Number.POSITIVE_INFINITY))
  if (seconds === Number.POSITIVE_INFINITY) {
    memory.delete(key)
    return {}
  }
  const { uid } = pod.metadata ?? {}
  const known = memory.get(key) as Tolerated | undefined
  const since = known?.uid === uid ? (known?.since ?? now) : now
  memory.set(key, { uid, since } satisfies Tolerated)
  const due = since + Math.max(seconds, 0) * 1000
  return due <= now ? evict(pod, now) : { requeue: after(due - now) }
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
