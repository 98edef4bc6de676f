/** Keeps as many pods as a ReplicationController asks for: a ReplicaSet of the first days. */
import { Pod } from '../../api/kinds/core/pod.ts'
import { ReplicationController } from '../../api/kinds/core/replication-controller.ts'
import { selectorFromLabels } from '../../api/machinery/label-selector.ts'
import { keyOf } from '../../client/informer-types.ts'
import { defineController, read, watch } from '../../control/controller.ts'
import { controllerOf, uncontrolled } from '../owner.ts'
import { type Flavour, reconcileReplicas } from '../replica-set/reconcile.ts'

const flavour: Flavour<ReplicationController> = {
  resource: ReplicationController,
  selector: ({ spec }) => selectorFromLabels(spec?.selector),
  tellsTerminating: false,
}

export const replicationController = defineController<ReplicationController>({
  name: 'replication-controller',
  queue: 'replicationmanager',
  for: ReplicationController,
  owns: [Pod],
  watches: [
    // A pod without a controller may be for one of these to adopt.
    watch(Pod, ({ current }, view) => {
      if (!current?.metadata?.labels || controllerOf(current) || current.metadata.deletionTimestamp) return []
      return view
        .of(ReplicationController)
        .list(current.metadata.namespace)
        .filter(each => flavour.selector(each).matches(current.metadata?.labels))
        .map(keyOf)
    }),
  ],
  reads: [read(Pod, { uncontrolled })],
  reconcile: (set, view, now) => reconcileReplicas(set, flavour, view, now),
})
