/** Rolls the pods of a Deployment from one template to the next, by way of ReplicaSets. */
import { Deployment } from '../../api/kinds/apps/deployment.ts'
import { ReplicaSet } from '../../api/kinds/apps/replica-set.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { selectorFromLabelSelector } from '../../api/machinery/label-selector.ts'
import { keyOf, objectKey } from '../../client/informer-types.ts'
import { defineController, read, watch } from '../../control/controller.ts'
import { controllerOf, uncontrolled } from '../owner.ts'
import { reconcile } from './reconcile.ts'

export const deploymentController = defineController<Deployment>({
  name: 'deployment-controller',
  queue: 'deployment',
  for: Deployment,
  owns: [ReplicaSet],
  watches: [
    watch(ReplicaSet, ({ current }, view) => {
      if (!current?.metadata?.labels || controllerOf(current) || current.metadata.deletionTimestamp) return []
      return view
        .of(Deployment)
        .list(current.metadata.namespace)
        .filter(each => selectorFromLabelSelector(each.spec?.selector).matches(current.metadata?.labels))
        .map(keyOf)
    }),
    // Recreate waits for the last old pod to be gone.
    watch(Pod, ({ previous, current }, view) => {
      if (!previous || current) return []
      const namespace = previous.metadata?.namespace
      const owner = controllerOf(previous)
      const set = owner?.kind === 'ReplicaSet' ? view.of(ReplicaSet).get(objectKey(namespace, owner.name)) : undefined
      const deployment = set && controllerOf(set)
      if (deployment?.kind !== 'Deployment') return []
      const key = objectKey(namespace, deployment.name)
      return view.of(Deployment).get(key)?.spec?.strategy?.type === 'Recreate' ? [key] : []
    }),
  ],
  reads: [read(ReplicaSet, { uncontrolled })],
  reconcile,
})
