/** Keeps one pod of a DaemonSet on every node that it wants. */
import { ControllerRevision } from '../../api/kinds/apps/controller-revision.ts'
import { DaemonSet } from '../../api/kinds/apps/daemon-set.ts'
import { Node } from '../../api/kinds/core/node.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { selectorFromLabelSelector } from '../../api/machinery/label-selector.ts'
import { keyOf } from '../../client/informer-types.ts'
import { defineController, read, watch } from '../../control/controller.ts'
import { equalJson } from '../../lib/json.ts'
import { controllerOf, uncontrolled } from '../owner.ts'
import { wishFor } from './placement.ts'
import { reconcile } from './reconcile.ts'

const sameWish = (set: DaemonSet, a: Node, b: Node) => equalJson(wishFor(set, a), wishFor(set, b))

export const daemonSetController = defineController<DaemonSet>({
  name: 'daemonset-controller',
  queue: 'daemonset',
  for: DaemonSet,
  owns: [Pod, ControllerRevision],
  watches: [
    // A pod without a controller may be for one of these to adopt.
    watch(Pod, ({ current }, view) => {
      if (!current?.metadata?.labels || controllerOf(current) || current.metadata.deletionTimestamp) return []
      return view
        .of(DaemonSet)
        .list(current.metadata.namespace)
        .filter(each => selectorFromLabelSelector(each.spec?.selector).matches(current.metadata?.labels))
        .map(keyOf)
    }),
    // Heartbeats are many; labels and taints are few.
    watch(Node, ({ previous, current }, view) => {
      const isSame =
        previous &&
        current &&
        equalJson(previous.metadata?.labels, current.metadata?.labels) &&
        equalJson(previous.spec?.taints, current.spec?.taints)
      if (isSame) return []
      const concerned = view.of(DaemonSet).list()
      if (!previous || !current) return concerned.map(keyOf)
      return concerned.filter(set => !sameWish(set, previous, current)).map(keyOf)
    }),
  ],
  reads: [read(Pod, { uncontrolled }), read(ControllerRevision, { uncontrolled })],
  reconcile,
})
