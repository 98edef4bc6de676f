/** The status of a StatefulSet. */
import type { StatefulSetStatus } from '../../api/generated/types/apps-v1.ts'
import type { ControllerRevision } from '../../api/kinds/apps/controller-revision.ts'
import type { StatefulSet } from '../../api/kinds/apps/stateful-set.ts'
import type { Pod } from '../../api/kinds/core/pod.ts'
import { omitEmpty } from '../conditions.ts'
import { isTerminating } from '../pods.ts'
import { isAvailable, isHealthy, replicasOf, revisionNameOf } from './members.ts'

/** The set with its status. A roll-out that is over makes its revision the current one. */
export function withStatus(
  set: StatefulSet,
  pods: readonly Pod[],
  currentRevision: ControllerRevision,
  updateRevision: ControllerRevision,
  now: number,
): StatefulSet {
  const ofRevision = (revision: ControllerRevision) =>
    pods.filter(pod => !isTerminating(pod) && revisionNameOf(pod) === revision.metadata?.name).length
  const healthy = pods.filter(isHealthy)
  const updated = ofRevision(updateRevision)
  const wanted = replicasOf(set)
  const isComplete =
    set.spec?.updateStrategy?.type === 'RollingUpdate' &&
    [updated, healthy.length, pods.length].every(count => count === wanted)
  const status: StatefulSetStatus = omitEmpty<StatefulSetStatus>(
    {
      observedGeneration: set.metadata?.generation ?? 0,
      replicas: pods.length,
      readyReplicas: healthy.length,
      availableReplicas: healthy.filter(pod => isAvailable(set, pod, now)).length,
      currentReplicas: isComplete ? updated : ofRevision(currentRevision),
      updatedReplicas: updated,
      currentRevision: (isComplete ? updateRevision : currentRevision).metadata?.name ?? '',
      updateRevision: updateRevision.metadata?.name ?? '',
      collisionCount: set.status?.collisionCount ?? 0,
      conditions: set.status?.conditions ?? [],
    },
    'replicas',
    'availableReplicas',
    'collisionCount',
  )
  return { ...set, status }
}
