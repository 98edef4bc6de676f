/** Holds claims that pods use, and volumes that are bound, until they are let go (`storage object in use protection`). */
import { PersistentVolume } from '../../api/kinds/core/persistent-volume.ts'
import { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { keyOf } from '../../client/informer-types.ts'
import type { Resource } from '../../client/resource.ts'
import { defineController, read, type View, watch } from '../../control/controller.ts'
import type { Plan } from '../../control/plan.ts'
import { claimsOf } from '../pods.ts'

const CLAIM_FINALIZER = 'kubernetes.io/pvc-protection'
const VOLUME_FINALIZER = 'kubernetes.io/pv-protection'

/** Index of pods on nodes by the claims that they use, as keys; those of generic ephemeral volumes too. */
const users = (pod: Pod): readonly string[] => (pod.spec?.nodeName ? claimsOf(pod) : [])

/** Adds the finalizer to what lives, and takes it from what is deleted and not used any more. */
export function protect<T extends KubeObject>(
  object: T,
  resource: Resource<T>,
  finalizer: string,
  isUsed: () => boolean,
): Plan {
  const finalizers = object.metadata?.finalizers ?? []
  const has = finalizers.includes(finalizer)
  const isDeleted = object.metadata?.deletionTimestamp !== undefined
  if (isDeleted ? !has || isUsed() : has) return {}
  const next = isDeleted ? finalizers.filter(each => each !== finalizer) : [...finalizers, finalizer]
  const metadata = { ...object.metadata, finalizers: next }
  return { writes: [{ type: 'update', resource, current: object, next: { ...object, metadata } }] }
}

export const claimProtection = defineController<PersistentVolumeClaim>({
  name: 'pvc-protection-controller',
  queue: 'pvcprotection',
  for: PersistentVolumeClaim,
  watches: [
    watch(Pod, ({ previous, current }, view) => {
      const before = previous ? users(previous) : []
      const now = current && current.metadata?.uid === previous?.metadata?.uid ? users(current) : []
      return before.filter(
        key =>
          !now.includes(key) &&
          view.of<PersistentVolumeClaim>(PersistentVolumeClaim).get(key)?.metadata?.deletionTimestamp,
      )
    }),
  ],
  reads: [read(Pod, { user: users })],
  reconcile: (claim: PersistentVolumeClaim, view: View) =>
    protect(claim, PersistentVolumeClaim, CLAIM_FINALIZER, () => view.of(Pod).byIndex('user', keyOf(claim)).length > 0),
})

export const volumeProtection = defineController<PersistentVolume>({
  name: 'pv-protection-controller',
  queue: 'pvprotection',
  for: PersistentVolume,
  reconcile: (volume: PersistentVolume) =>
    protect(volume, PersistentVolume, VOLUME_FINALIZER, () => volume.status?.phase === 'Bound'),
})
