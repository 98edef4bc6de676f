/** Removes the folder of a volume whose claim is gone, or that is deleted itself, and then the volume. */
import { Node } from '../../api/kinds/core/node.ts'
import { PersistentVolume } from '../../api/kinds/core/persistent-volume.ts'
import { hasReason } from '../../client/client.ts'
import { refOf } from '../../client/resource.ts'
import type { LocalPathDeps } from './component.ts'
import { FINALIZER, isOurs, placeOf } from './names.ts'

/** Nobody needs its folder any more. */
export function isOver(volume: PersistentVolume): boolean {
  const { metadata, spec, status } = volume
  if (!isOurs(volume)) return false
  if (metadata?.deletionTimestamp) return status?.phase !== 'Bound' && metadata.finalizers?.includes(FINALIZER) === true
  return status?.phase === 'Released' && spec?.persistentVolumeReclaimPolicy === 'Delete'
}

/** Reclaims a volume that `isOver`; rejects where it has to be tried again. */
export async function reclaim({ informers, client, events, nodeVolumes }: LocalPathDeps, volume: PersistentVolume) {
  const kind = client.kind<PersistentVolume>(PersistentVolume)
  const { node, folder } = placeOf(volume)
  const isKept = volume.spec?.persistentVolumeReclaimPolicy !== 'Delete'
  try {
    // With a node that is no more its disk is gone too.
    if (!isKept && informers.of<Node>(Node).get(node)) await nodeVolumes.remove(node, folder)
  } catch (error) {
    events.event(volume, 'Warning', 'VolumeFailedDelete', (error as Error).message)
    throw error
  }
  const { uid, resourceVersion, finalizers = [] } = volume.metadata ?? {}
  try {
    // It comes again as deleted, and is let go then.
    if (!volume.metadata?.deletionTimestamp) {
      await kind.delete(refOf(volume), { ...(uid && { preconditions: { uid } }) })
      return
    }
    const metadata = { uid, resourceVersion, finalizers: finalizers.filter(each => each !== FINALIZER) }
    await kind.patch(refOf(volume), { metadata }, { type: 'merge' })
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error
  }
}
