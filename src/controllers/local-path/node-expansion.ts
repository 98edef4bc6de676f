/**
 * Tells nodes that a claim's volume has grown and its file system is to follow (the condition FileSystemResizePending,
 * which a resizer sets). A kubelet would look at the claims of its pods again and again; ours are told.
 */
import { isFinished } from '../../api/kinds/core/finished.ts'
import type { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { keyOf } from '../../client/informer-types.ts'
import { claimsOf } from '../pods.ts'
import type { LocalPathDeps } from './component.ts'

/** Its file system has to follow, on the node of a pod that uses it. */
export const isPending = ({ metadata, status }: PersistentVolumeClaim): boolean =>
  !metadata?.deletionTimestamp &&
  (status?.conditions?.some(each => each.type === 'FileSystemResizePending' && each.status === 'True') ?? false)

/** Tells the nodes of a claim that `isPending`; rejects where one could not do it. A claim without pods waits. */
export async function expandOnNodes({ informers, events, nodeVolumes }: LocalPathDeps, claim: PersistentVolumeClaim) {
  const { namespace = '', name = '' } = claim.metadata ?? {}
  const users = informers
    .of(Pod)
    .list(namespace)
    .filter(pod => pod.spec?.nodeName && !isFinished(pod) && claimsOf(pod).includes(keyOf(claim)))
  for (const node of new Set(users.map(pod => pod.spec?.nodeName ?? ''))) {
    try {
      await nodeVolumes.expand(node, namespace, name)
    } catch (error) {
      events.event(claim, 'Warning', 'FileSystemResizeFailed', (error as Error).message)
      throw error
    }
    events.event(claim, 'Normal', 'FileSystemResizeSuccessful', 'MountVolume.NodeExpandVolume succeeded')
  }
}
