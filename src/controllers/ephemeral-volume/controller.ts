/** Makes the claims of generic ephemeral volumes, which live and go with their pods (KEP-1698). */
import { isFinished } from '../../api/kinds/core/finished.ts'
import { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { claimNameOf } from '../../api/kinds/core/pod-references.ts'
import { objectKey } from '../../client/informer-types.ts'
import { defineController, type View } from '../../control/controller.ts'
import type { Note, Plan, Write } from '../../control/plan.ts'
import { controllerReference } from '../owner.ts'
import { isTerminating } from '../pods.ts'

export const ephemeralVolumeController = defineController<Pod>({
  name: 'ephemeral_volume',
  for: Pod,
  owns: [PersistentVolumeClaim],
  reconcile,
})

/** Plans the claims of a pod. One of that name that is not the pod's is never used for it. */
export function reconcile(pod: Pod, view: View): Plan {
  const volumes = pod.spec?.volumes?.filter(each => each.ephemeral) ?? []
  if (volumes.length === 0 || isTerminating(pod) || isFinished(pod)) return {}
  const { namespace, name = '', uid } = pod.metadata ?? {}
  const claims = view.of<PersistentVolumeClaim>(PersistentVolumeClaim)
  const writes: Write[] = []
  const notes: Note[] = []
  for (const volume of volumes) {
    const claimName = claimNameOf(pod, volume)!
    const found = claims.get(objectKey(namespace, claimName))
    if (found?.metadata?.ownerReferences?.some(each => each.controller && each.uid === uid)) continue
    if (found) {
      const message = `PVC "${claimName}" is not owned by pod "${name}"`
      notes.push({ target: pod, type: 'Warning', reason: 'FailedBinding', message })
      continue
    }
    const { metadata = {}, spec } = volume.ephemeral?.volumeClaimTemplate ?? {}
    const object: PersistentVolumeClaim = {
      apiVersion: PersistentVolumeClaim.apiVersion,
      kind: PersistentVolumeClaim.kind,
      metadata: {
        name: claimName,
        ...(namespace && { namespace }),
        ...(metadata.labels && { labels: metadata.labels }),
        ...(metadata.annotations && { annotations: metadata.annotations }),
        ownerReferences: [controllerReference(Pod, pod)],
      },
      ...(spec && { spec }),
    }
    writes.push({ type: 'create', resource: PersistentVolumeClaim, object })
  }
  return { writes, notes }
}
