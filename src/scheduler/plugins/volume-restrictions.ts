import type { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts'
import { objectKey } from '../../client/informer-types.ts'
import { whenChanged } from '../affected.ts'
import type { ClusterEvent, Plugin, View } from '../plugin.ts'
import type { PodInfo } from '../pod-info.ts'
import { claimsOf } from '../pod-volumes.ts'

const CONFLICT = 'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode'

const isForOne = (claim: PersistentVolumeClaim | undefined) =>
  claim?.spec?.accessModes?.includes('ReadWriteOncePod') ?? false

/** Keys of the pod's claims that only one pod may use. */
const exclusive = ({ pod, namespace }: PodInfo, { storage }: View): string[] =>
  claimsOf(pod)
    .map(each => objectKey(namespace, each.name))
    .filter(key => isForOne(storage.claim(key)))

const uses = ({ pod, namespace }: PodInfo, keys: readonly string[]) =>
  claimsOf(pod).some(each => keys.includes(objectKey(namespace, each.name)))

/** A claim with the access mode ReadWriteOncePod is used by one pod in all of the cluster (KEP-2485). */
export const volumeRestrictions: Plugin = {
  name: 'VolumeRestrictions',
  weight: 0,
  prepare(info, view) {
    if (claimsOf(info.pod).length === 0) return undefined
    const { snapshot } = view
    /** Slots on which the claims are used, as of the snapshot's clock. */
    let clock = -1
    let version = -1
    let used: number[] = []
    const current = () => {
      if (clock === snapshot.clock() && version === view.storage.version()) return used
      clock = snapshot.clock()
      version = view.storage.version()
      const keys = exclusive(info, view)
      used = []
      for (let slot = 0; keys.length > 0 && slot < snapshot.slots; slot++) {
        for (const other of snapshot.pods(slot)) if (other.uid !== info.uid && uses(other, keys)) used.push(slot)
      }
      return used
    }
    return {
      filter: () => (current().length > 0 ? CONFLICT : undefined),
      // A victim on this node helps, where all of its users stand there.
      hopeless: slot => current().some(each => each !== slot),
      affected: whenChanged(() => current().join(), ''),
    }
  },
  wokenBy: ['pod-gone', 'storage'],
  mayHelp: (event: ClusterEvent, info, view) => event.type !== 'pod-gone' || uses(event.pod, exclusive(info, view)),
}
