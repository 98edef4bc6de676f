/**
 * Lets a claim's volume grow: on its node, where folders are bounded by quotas, and then in the objects, which change in
 * the order in which an external resizer does it: first the volume, then what the claim has.
 */
import { PersistentVolume } from '../../api/kinds/core/persistent-volume.ts'
import { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts'
import { compareQuantities } from '../../api/machinery/quantity.ts'
import { refOf } from '../../client/resource.ts'
import type { LocalPathDeps } from './component.ts'
import { isOurs, placeOf, sizeOf } from './names.ts'

/** It is bound, and asks for more than it has. */
export const isGrowing = ({ metadata, spec, status }: PersistentVolumeClaim): boolean =>
  status?.phase === 'Bound' &&
  !metadata?.deletionTimestamp &&
  compareQuantities(spec?.resources?.requests?.storage ?? '0', status.capacity?.storage ?? '0') > 0

/** Expands for a claim that `isGrowing`, where its volume is ours. */
export async function expand({ informers, client, events, nodeVolumes }: LocalPathDeps, claim: PersistentVolumeClaim) {
  const volume = informers.of<PersistentVolume>(PersistentVolume).get(claim.spec?.volumeName ?? '')
  if (!volume || !isOurs(volume) || volume.spec?.claimRef?.uid !== claim.metadata?.uid) return
  const storage = claim.spec?.resources?.requests?.storage ?? '0'
  const { node, folder } = placeOf(volume)
  try {
    await nodeVolumes.make(node, folder, sizeOf(claim))
  } catch (error) {
    events.event(claim, 'Warning', 'VolumeResizeFailed', (error as Error).message)
    throw error
  }
  if (compareQuantities(volume.spec?.capacity?.storage ?? '0', storage) < 0) {
    events.event(claim, 'Normal', 'Resizing', `External resizer is resizing volume ${volume.metadata?.name}`)
    const patch = { metadata: { uid: volume.metadata?.uid }, spec: { capacity: { storage } } }
    await client.kind<PersistentVolume>(PersistentVolume).patch(refOf(volume), patch, { type: 'merge' })
  }
  const patch = { metadata: { uid: claim.metadata?.uid }, status: { capacity: { storage } } }
  const claims = client.kind<PersistentVolumeClaim>(PersistentVolumeClaim)
  await claims.patch(refOf(claim), patch, { type: 'merge', subresource: 'status' })
  events.event(claim, 'Normal', 'VolumeResizeSuccessful', 'Resize volume succeeded')
}
