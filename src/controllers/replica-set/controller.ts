/** Keeps as many pods as a ReplicaSet asks for. */
import { ReplicaSet } from '../../api/kinds/apps/replica-set.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { selectorFromLabelSelector } from '../../api/machinery/label-selector.ts'
import { keyOf } from '../../client/informer-types.ts'
import { defineController, read, watch } from '../../control/controller.ts'
import { controllerOf, uncontrolled } from '../owner.ts'
import { reconcileReplicas, replicaSets } from './reconcile.ts'

export const replicaSetController = defineController<ReplicaSet>({
  name: 'replicaset-controller',
  queue: 'replicaset',
  for: ReplicaSet,
  owns: [Pod],
  watches: [
    // A pod without a controller may be for one of these to adopt.
    watch(Pod, ({ current }, view) => {
      if (!current?.metadata?.labels || controllerOf(current) || current.metadata.deletionTimestamp) return []
      return view
        .of(ReplicaSet)
        .list(current.metadata.namespace)
        .filter(each => selectorFromLabelSelector(each.spec?.selector).matches(current.metadata?.labels))
        .map(keyOf)
    }),
  ],
  reads: [read(Pod, { uncontrolled })],
  reconcile: (set, view, now) => reconcileReplicas(set, replicaSets, view, now),
})
