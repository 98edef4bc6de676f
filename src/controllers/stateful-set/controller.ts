/** Keeps the members of a StatefulSet: each with a name, a place and claims of its own. */
import { ControllerRevision } from '../../api/kinds/apps/controller-revision.ts'
import { StatefulSet } from '../../api/kinds/apps/stateful-set.ts'
import { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { selectorFromLabelSelector } from '../../api/machinery/label-selector.ts'
import { keyOf, objectKey } from '../../client/informer-types.ts'
import { defineController, read, watch } from '../../control/controller.ts'
import { controllerOf, uncontrolled } from '../owner.ts'
import { identityOf } from './members.ts'
import { reconcile } from './reconcile.ts'

export const statefulSetController = defineController<StatefulSet>({
  name: 'statefulset-controller',
  queue: 'statefulset',
  for: StatefulSet,
  owns: [Pod, ControllerRevision],
  watches: [
    // A pod without a controller may be for one of these to adopt.
    watch(Pod, ({ current }, view) => {
      if (!current?.metadata?.labels || controllerOf(current) || current.metadata.deletionTimestamp) return []
      const name = identityOf(current.metadata.name)?.set
      return view
        .of(StatefulSet)
        .list(current.metadata.namespace)
        .filter(each => each.metadata?.name === name)
        .filter(each => selectorFromLabelSelector(each.spec?.selector).matches(current.metadata?.labels))
        .map(keyOf)
    }),
    // A claim that is gone may be waited for, or missed.
    watch(PersistentVolumeClaim, ({ previous, current }, view) => {
      const { namespace, name = '' } = (current ?? previous)?.metadata ?? {}
      const member = identityOf(name)?.set
      if (!member) return []
      return view
        .of(StatefulSet)
        .list(namespace)
        .filter(({ metadata, spec }) =>
          spec?.volumeClaimTemplates?.some(each => member === `${each.metadata?.name}-${metadata?.name}`),
        )
        .map(each => objectKey(namespace, each.metadata?.name ?? ''))
    }),
  ],
  reads: [read(Pod, { uncontrolled }), read(ControllerRevision, { uncontrolled })],
  reconcile,
})
