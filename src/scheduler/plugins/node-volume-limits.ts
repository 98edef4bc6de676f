import { classOf } from '../../api/machinery/volume-match.ts'
import { objectKey } from '../../client/informer-types.ts'
import { whenChanged } from '../affected.ts'
import type { Plugin, View } from '../plugin.ts'
import type { PodInfo } from '../pod-info.ts'
import { claimsOf } from '../pod-volumes.ts'

/** Volumes of a pod by CSI driver: handles, and for claims without a volume yet what they will be by. */
function volumesOf({ pod, namespace }: PodInfo, { storage }: View): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  const add = (driver: string, id: string) => {
    const known = found.get(driver)
    if (known) known.add(id)
    else found.set(driver, new Set([id]))
  }
  for (const { name } of claimsOf(pod)) {
    const key = objectKey(namespace, name)
    const claim = storage.claim(key)
    if (!claim) continue
    const csi = claim.spec?.volumeName ? storage.volume(claim.spec.volumeName)?.spec?.csi : undefined
    if (csi) add(csi.driver, csi.volumeHandle)
    else if (!claim.spec?.volumeName) add(storage.storageClass(classOf(claim))?.provisioner ?? '', `claim ${key}`)
  }
  found.delete('')
  return found
}

/** A node takes as many volumes of a driver as the driver says (API doc: CSINodeDriver.allocatable). */
export const nodeVolumeLimits: Plugin = {
  name: 'NodeVolumeLimits',
  weight: 0,
  prepare(info, view) {
    if (claimsOf(info.pod).length === 0) return undefined
    const { snapshot, storage } = view
    return {
      filter(slot) {
        const wanted = volumesOf(info, view)
        for (const [driver, ids] of wanted) {
          const limit = storage.volumeLimit(snapshot.name(slot), driver)
          if (limit === undefined) continue
          const used = new Set(ids)
          for (const other of snapshot.pods(slot))
            for (const id of volumesOf(other, view).get(driver) ?? []) used.add(id)
          if (used.size > limit) return 'node(s) exceed max volume count'
        }
        return undefined
      },
      affected: whenChanged(storage.version),
    }
  },
  wokenBy: ['node', 'pod-gone', 'storage'],
  mayHelp: event => event.type !== 'pod-gone' || claimsOf(event.pod.pod).length > 0,
}
