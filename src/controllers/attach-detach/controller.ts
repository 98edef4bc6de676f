import { isFinished } from '../../api/kinds/core/finished.ts'
import { Node } from '../../api/kinds/core/node.ts'
import { PersistentVolume } from '../../api/kinds/core/persistent-volume.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { CSIDriver } from '../../api/kinds/storage/csi-driver.ts'
import { VolumeAttachment } from '../../api/kinds/storage/volume-attachment.ts'
import { keyOf, objectKey } from '../../client/informer-types.ts'
import { defineController, read, type View, watch } from '../../control/controller.ts'
import { claimsOf } from '../pods.ts'
import { reconcile, volumeOf } from './reconcile.ts'

/** An index of CSI volumes by the claim that they are bound to. */
const claimOf = ({ spec }: PersistentVolume): readonly string[] =>
  spec?.csi && spec.claimRef ? [objectKey(spec.claimRef.namespace, spec.claimRef.name ?? '')] : []

const ofClaims = (claims: readonly string[], view: View) =>
  claims.flatMap(claim => view.of<PersistentVolume>(PersistentVolume).byIndex('csi-claim', claim).map(keyOf))

/** What of a node decides about its volumes. */
const matters = (node: Node | undefined) =>
  JSON.stringify([
    node?.status?.volumesInUse,
    node?.status?.conditions?.find(each => each.type === 'Ready')?.status,
    node?.spec?.taints?.map(each => each.key),
  ])

/** Of a volume that is on a node by an attachment. */
const onNode = (name: string | undefined, view: View) =>
  view
    .of<VolumeAttachment>(VolumeAttachment)
    .list()
    .filter(each => each.spec.nodeName === name)
    .flatMap(volumeOf)

export const attachDetachController = defineController<PersistentVolume>({
  name: 'attachdetach-controller',
  for: PersistentVolume,
  watches: [
    watch(Pod, ({ previous, current }, view) => {
      const state = (pod: Pod | undefined) => pod && `${pod.metadata?.uid} ${pod.spec?.nodeName} ${isFinished(pod)}`
      return state(previous) === state(current) ? [] : ofClaims(claimsOf((current ?? previous)!), view)
    }),
    watch(VolumeAttachment, ({ previous, current }) => volumeOf((current ?? previous)!)),
    watch(Node, ({ previous, current }, view) =>
      matters(previous) === matters(current) ? [] : onNode((current ?? previous)?.metadata?.name, view),
    ),
    watch(CSIDriver, ({ previous, current }, view) =>
      view
        .of<PersistentVolume>(PersistentVolume)
        .list()
        .filter(({ spec }) => spec?.csi?.driver === (current ?? previous)?.metadata?.name)
        .map(keyOf),
    ),
  ],
  reads: [
    read(Pod, { 'attachable-claim': claimsOf }),
    read(VolumeAttachment, { volume: volumeOf }),
    read(PersistentVolume, { 'csi-claim': claimOf }),
  ],
  reconcile,
})
