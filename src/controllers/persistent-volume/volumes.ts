/** Keeps the phase of volumes: free, bound, or released by a claim that is gone. */
import { PersistentVolume } from '../../api/kinds/core/persistent-volume.ts'
import { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts'
import { BOUND_BY_CONTROLLER, PROVISIONED_BY } from '../../api/machinery/volume-match.ts'
import { objectKey } from '../../client/informer-types.ts'
import { defineController, type View, watch } from '../../control/controller.ts'
import type { Note, Plan } from '../../control/plan.ts'

type Volume = PersistentVolume
type Phase = 'Available' | 'Bound' | 'Released' | 'Failed'

export const volumePhases = defineController<Volume>({
  name: 'persistentvolume-controller',
  queue: 'volumes',
  for: PersistentVolume,
  watches: [
    watch(PersistentVolumeClaim, ({ previous, current }, view) => {
      const { namespace, name } = (current ?? previous)?.metadata ?? {}
      const named = [previous?.spec?.volumeName, current?.spec?.volumeName].filter(each => each !== undefined)
      const claiming = view
        .of<Volume>(PersistentVolume)
        .list()
        .filter(({ spec }) => spec?.claimRef?.name === name && spec?.claimRef?.namespace === namespace)
      return [...new Set([...named, ...claiming.map(each => each.metadata?.name ?? '')])]
    }),
  ],
  reconcile,
})

/** Plans the phase of a volume, and what becomes of one whose claim is gone. */
export function reconcile(volume: Volume, view: View): Plan {
  const { claimRef } = volume.spec ?? {}
  if (!claimRef?.uid) return phase(volume, 'Available')
  const found = view
    .of<PersistentVolumeClaim>(PersistentVolumeClaim)
    .get(objectKey(claimRef.namespace, claimRef.name ?? ''))
  const claim = found?.metadata?.uid === claimRef.uid ? found : undefined
  if (!claim) return released(volume)
  // The claim's own pass completes the binding.
  if (!claim.spec?.volumeName) return {}
  if (claim.spec.volumeName === volume.metadata?.name) return phase(volume, 'Bound')
  const isProvisioned = volume.metadata?.annotations?.[PROVISIONED_BY] !== undefined
  if (isProvisioned && volume.spec?.persistentVolumeReclaimPolicy === 'Delete') return released(volume)
  return { writes: [{ type: 'update', resource: PersistentVolume, current: volume, next: unbound(volume) }] }
}

function phase(volume: Volume, next: Phase, message?: string, notes?: readonly Note[]): Plan {
  if (volume.status?.phase === next && (volume.status.message ?? '') === (message ?? '')) return {}
  const { message: _, ...status } = volume.status ?? {}
  const changed = { ...volume, status: { ...status, phase: next, ...(message && { message }) } } as Volume
  return { status: changed, ...(notes && { notes }) }
}

/** A volume that was claimed for a claim that went elsewhere; one that people reserved stays reserved. */
function unbound(volume: Volume): Volume {
  const { [BOUND_BY_CONTROLLER]: own, ...annotations } = volume.metadata?.annotations ?? {}
  const { claimRef, ...spec } = volume.spec ?? {}
  const { uid: _, resourceVersion: __, ...reserved } = claimRef ?? {}
  return {
    ...volume,
    metadata: { ...volume.metadata, annotations },
    spec: { ...spec, ...(own === undefined && { claimRef: reserved }) },
  } as Volume
}

function released(volume: Volume): Plan {
  const { persistentVolumeReclaimPolicy: policy } = volume.spec ?? {}
  const isOver = volume.status?.phase === 'Released' || volume.status?.phase === 'Failed'
  if (!isOver) return phase(volume, 'Released')
  if (policy === 'Recycle' && volume.status?.phase === 'Released') {
    const message = 'No recycler plugin found for the volume!'
    return phase(volume, 'Failed', message, [
      { target: volume, type: 'Warning', reason: 'VolumeFailedRecycle', message },
    ])
  }
  // Retained ones stay as they are; those of a provisioner are deleted by it.
  if (policy !== 'Delete' || isExternal(volume) || volume.metadata?.deletionTimestamp) return {}
  const name = volume.metadata?.name
  const message = `error getting deleter volume plugin for volume "${name}": no deletable volume plugin matched`
  return phase(volume, 'Failed', message, [{ target: volume, type: 'Warning', reason: 'VolumeFailedDelete', message }])
}

const isExternal = ({ metadata, spec }: Volume) =>
  metadata?.annotations?.[PROVISIONED_BY] !== undefined || spec?.csi !== undefined
