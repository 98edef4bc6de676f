/**
 * Which nodes a CSI volume is to be attached to: those of the pods that use its claim. What is wanted of a driver's
 * attacher stands in VolumeAttachments (API doc: storage/v1 VolumeAttachment). A volume that a node says is in use
 * stays attached to it, so that nothing is torn from under a mount.
 */
import { createHash } from 'node:crypto'
import { isFinished } from '../../api/kinds/core/finished.ts'
import { Node } from '../../api/kinds/core/node.ts'
import type { PersistentVolume } from '../../api/kinds/core/persistent-volume.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { isReady } from '../../api/kinds/core/ready.ts'
import { CSIDriver } from '../../api/kinds/storage/csi-driver.ts'
import { VolumeAttachment } from '../../api/kinds/storage/volume-attachment.ts'
import { objectKey } from '../../client/informer-types.ts'
import type { View } from '../../control/controller.ts'
import { after, done, type Note, type Plan, type Requeue, sooner, type Write } from '../../control/plan.ts'

/** How long a silent node may keep a volume that its pods do not need any more (as upstream's), ms. */
const FORCE_MS = 360_000

/** An index of attachments by volume. */
export const volumeOf = ({ spec }: VolumeAttachment): readonly string[] =>
  spec.source.persistentVolumeName ? [spec.source.persistentVolumeName] : []

const isOut = ({ spec }: Node) => spec?.taints?.some(({ key }) => key === 'node.kubernetes.io/out-of-service')

/** May be on one node at a time only. */
const isExclusive = ({ spec }: PersistentVolume) => !spec?.accessModes?.some(mode => /Many$/.test(mode))

function attachmentOf(volume: PersistentVolume, nodeName: string): VolumeAttachment {
  const { driver = '', volumeHandle = '' } = volume.spec?.csi ?? {}
  const name = `csi-${createHash('sha256').update(`${volumeHandle}${driver}${nodeName}`).digest('hex')}`
  return {
    apiVersion: VolumeAttachment.apiVersion,
    kind: VolumeAttachment.kind,
    metadata: { name },
    spec: { attacher: driver, nodeName, source: { persistentVolumeName: volume.metadata?.name ?? '' } },
  }
}

/** Plans the attachments of a volume. */
export function reconcile(volume: PersistentVolume, view: View, now: number): Plan {
  const { csi, claimRef } = volume.spec ?? {}
  const name = volume.metadata?.name ?? ''
  const there = view.of<VolumeAttachment>(VolumeAttachment).byIndex('volume', name)
  if (!csi) return {}
  const isAttachable = view.of<CSIDriver>(CSIDriver).get(csi.driver)?.spec.attachRequired !== false
  const users = claimRef
    ? view
        .of(Pod)
        .byIndex('attachable-claim', objectKey(claimRef.namespace, claimRef.name ?? ''))
        .filter(pod => pod.spec?.nodeName && !isFinished(pod))
    : []
  const nodes = new Set(users.map(pod => pod.spec?.nodeName ?? ''))
  const { writes, kept, requeue } = detach(volume, there, isAttachable ? nodes : new Set(), view, now)
  const notes: Note[] = []
  for (const nodeName of isAttachable ? nodes : []) {
    if (!view.of(Node).get(nodeName)) continue
    const found = there.find(each => each.spec.nodeName === nodeName)
    const waiting = users.filter(pod => pod.spec?.nodeName === nodeName && pod.status?.phase === 'Pending')
    if (found) notes.push(...told(volume, found, waiting, view))
    else if (isExclusive(volume) && kept.some(other => other !== nodeName)) notes.push(...refused(volume, waiting))
    else {
      writes.push({ type: 'create', resource: VolumeAttachment, object: attachmentOf(volume, nodeName) })
      kept.push(nodeName)
    }
  }
  return { writes, notes, requeue }
}

/** Takes attachments away that no pod needs; `kept` are the nodes on which the volume is still. */
function detach(
  volume: PersistentVolume,
  there: readonly VolumeAttachment[],
  nodes: ReadonlySet<string>,
  view: View,
  now: number,
): { readonly writes: Write[]; readonly kept: string[]; readonly requeue: Requeue } {
  const { driver, volumeHandle } = volume.spec?.csi ?? {}
  const writes: Write[] = []
  const kept: string[] = []
  let requeue: Requeue = done
  for (const attachment of there) {
    const { nodeName } = attachment.spec
    const since = `since ${attachment.metadata?.uid}`
    const node = view.of(Node).get(nodeName)
    const isUsed = node?.status?.volumesInUse?.includes(`kubernetes.io/csi/${driver}^${volumeHandle}`) && !isOut(node)
    // Also one that is being detached is on its node until it is gone.
    kept.push(nodeName)
    if (nodes.has(nodeName)) view.memory.delete(since)
    else if (!isUsed || waited(view, since, now) >= FORCE_MS) {
      view.memory.delete(since)
      writes.push({ type: 'delete', resource: VolumeAttachment, object: attachment })
    } else if (node && !isReady(node)) {
      if (!view.memory.has(since)) view.memory.set(since, now)
      requeue = sooner(requeue, after(FORCE_MS - waited(view, since, now)))
    } else view.memory.delete(since)
  }
  return { writes, kept, requeue }
}

function waited(view: View, since: string, now: number): number {
  const began = view.memory.get(since)
  return typeof began === 'number' ? now - began : 0
}

/** How attaching went, once for each outcome. */
function told(volume: PersistentVolume, attachment: VolumeAttachment, pods: readonly Pod[], view: View): Note[] {
  const { attached, attachError } = attachment.status ?? {}
  const outcome = attached ? 'attached' : (attachError?.message ?? '')
  const key = `told ${attachment.metadata?.uid}`
  if (outcome === '' || view.memory.get(key) === outcome) return []
  view.memory.set(key, outcome)
  const title = `for volume ${JSON.stringify(volume.metadata?.name)}`
  return pods.map(
    (target): Note =>
      attached
        ? {
            target,
            type: 'Normal',
            reason: 'SuccessfulAttachVolume',
            message: `AttachVolume.Attach succeeded ${title} `,
          }
        : {
            target,
            type: 'Warning',
            reason: 'FailedAttachVolume',
            message: `AttachVolume.Attach failed ${title} : ${outcome}`,
          },
  )
}

const refused = ({ metadata }: PersistentVolume, pods: readonly Pod[]): Note[] =>
  pods.map(target => ({
    target,
    type: 'Warning',
    reason: 'FailedAttachVolume',
    message:
      `Multi-Attach error for volume ${JSON.stringify(metadata?.name)} ` +
      "Volume is already exclusively attached to one node and can't be attached to another",
  }))
