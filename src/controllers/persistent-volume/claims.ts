/** Binds claims to volumes: the volume's side first, then the claim's, so that two claims never get one volume. */
import { isFinished } from '../../api/kinds/core/finished.ts'
import { Node } from '../../api/kinds/core/node.ts'
import { PersistentVolume } from '../../api/kinds/core/persistent-volume.ts'
import { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { StorageClass } from '../../api/kinds/storage/storage-class.ts'
import { compareQuantities } from '../../api/machinery/quantity.ts'
import {
  BOUND_BY_CONTROLLER,
  bestFor,
  claimedBy,
  classOf,
  isFor,
  mismatch,
  NO_PROVISIONER,
  PROVISIONED_BY,
  SELECTED_NODE,
  STORAGE_PROVISIONER,
} from '../../api/machinery/volume-match.ts'
import { keyOf, objectKey } from '../../client/informer-types.ts'
import { defineController, read, type View, watch } from '../../control/controller.ts'
import type { Note, Plan } from '../../control/plan.ts'
import { PROVISIONER as LOCAL } from '../local-path/names.ts'

const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed'
const PROVISIONERS = ['volume.beta.kubernetes.io/storage-provisioner', STORAGE_PROVISIONER]

type Claim = PersistentVolumeClaim
type Volume = PersistentVolume

/** Index of pods by the claims that they name, as keys. */
export const podsByClaim = (pod: Pod): readonly string[] =>
  (pod.spec?.volumes ?? []).flatMap(each =>
    each.persistentVolumeClaim ? [objectKey(pod.metadata?.namespace, each.persistentVolumeClaim.claimName)] : [],
  )

const waiting = (view: View) =>
  view
    .of<Claim>(PersistentVolumeClaim)
    .list()
    .filter(each => !each.spec?.volumeName)

export const claimBinder = defineController<Claim>({
  name: 'persistentvolume-controller',
  queue: 'claims',
  for: PersistentVolumeClaim,
  watches: [
    watch(PersistentVolume, ({ previous, current }, view) => {
      const references = [previous, current].flatMap(each => each?.spec?.claimRef ?? [])
      const own = references.map(each => objectKey(each.namespace, each.name ?? ''))
      const name = (current ?? previous)?.metadata?.name
      const named = view
        .of<Claim>(PersistentVolumeClaim)
        .list()
        .filter(each => each.spec?.volumeName === name)
      const isFree = current?.status?.phase === 'Available' && !current.spec?.claimRef
      return [...new Set([...own, ...named.map(keyOf), ...(isFree ? waiting(view).map(keyOf) : [])])]
    }),
    watch(StorageClass, ({ previous, current }, view) =>
      waiting(view)
        .filter(each => classOf(each) === (current ?? previous)?.metadata?.name)
        .map(keyOf),
    ),
    // The first consumer decides where a claim that waits for it goes.
    watch(Pod, ({ previous, current }) =>
      current && previous?.spec?.nodeName !== current.spec?.nodeName ? podsByClaim(current) : [],
    ),
  ],
  reads: [read(Pod, { claim: podsByClaim }), read(Node)],
  reconcile,
})

/** Plans the binding of a claim. */
export function reconcile(claim: Claim, view: View): Plan {
  const { annotations } = claim.metadata ?? {}
  if (annotations?.[BIND_COMPLETED] !== undefined) return keepBound(claim, view)
  const { volumeName } = claim.spec ?? {}
  if (volumeName) return bindNamed(claim, view.of<Volume>(PersistentVolume).get(volumeName))
  const consumers = view
    .of(Pod)
    .byIndex('claim', keyOf(claim))
    .filter(pod => !isFinished(pod))
  const storageClass = view.of(StorageClass).get(classOf(claim))
  const isDelayed = storageClass?.volumeBindingMode === 'WaitForFirstConsumer'
  const nodeName = consumers.find(pod => pod.spec?.nodeName)?.spec?.nodeName
  const node = nodeName ? view.of(Node).get(nodeName) : undefined
  const volume = bestFor(claim, view.of<Volume>(PersistentVolume).list(), { reservedOnly: isDelayed && !node, node })
  if (volume) return bind(claim, volume)
  const isSelected = annotations?.[SELECTED_NODE] !== undefined
  if (isDelayed && !isSelected && !node) return pending(claim, [waitsFor(claim, consumers)])
  if (classOf(claim) === '') return pending(claim, [noClass(claim)])
  return provision(claim, storageClass, isDelayed ? nodeName : undefined)
}

const note = (target: Claim, reason: string, message: string, type: Note['type'] = 'Normal'): Note => ({
  target,
  type,
  reason,
  message,
})

const noClass = (claim: Claim) =>
  note(claim, 'FailedBinding', 'no persistent volumes available for this claim and no storage class is set')

function waitsFor(claim: Claim, consumers: readonly Pod[]): Note {
  if (consumers.length === 0)
    return note(claim, 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding')
  const names = consumers.map(pod => pod.metadata?.name).join(',')
  const message = `waiting for ${consumers.length === 1 ? `pod ${names}` : `pods ${names}`} to be scheduled`
  return note(claim, 'WaitForPodScheduled', message)
}

function pending(claim: Claim, notes: readonly Note[]): Plan {
  return { status: withPhase(claim, 'Pending', undefined), notes }
}

function withPhase(claim: Claim, phase: 'Pending' | 'Bound' | 'Lost', volume: Volume | undefined): Claim {
  const { accessModes: _, capacity: __, currentVolumeAttributesClassName: ___, ...rest } = claim.status ?? {}
  if (!volume) return { ...claim, status: { ...rest, phase } }
  const attributes = volume.spec?.volumeAttributesClassName
  // A later difference may be meant: a file system can be smaller than its device.
  const capacity = claim.status?.phase === phase ? claim.status.capacity : volume.spec?.capacity
  const known = claim.status?.phase === 'Bound' ? claim.status.currentVolumeAttributesClassName : attributes
  return {
    ...claim,
    status: {
      ...rest,
      phase,
      ...(volume.spec?.accessModes && { accessModes: volume.spec.accessModes }),
      ...(capacity && { capacity }),
      ...(known && { currentVolumeAttributesClassName: known }),
    },
  } as Claim
}

/** Somebody else makes the volume; the claim says who, and for which node where that counts. */
function provision(claim: Claim, storageClass: StorageClass | undefined, nodeName: string | undefined): Plan {
  if (!storageClass) {
    const message = `storageclass.storage.k8s.io "${classOf(claim)}" not found`
    return pending(claim, [note(claim, 'ProvisioningFailed', message, 'Warning')])
  }
  const { provisioner } = storageClass
  if (provisioner === NO_PROVISIONER) return pending(claim, [])
  const { annotations } = claim.metadata ?? {}
  const added: Record<string, string> = Object.fromEntries(PROVISIONERS.map(name => [name, provisioner]))
  if (nodeName && annotations?.[SELECTED_NODE] === undefined) added[SELECTED_NODE] = nodeName
  if (Object.entries(added).some(([name, value]) => annotations?.[name] !== value)) {
    const metadata = { ...claim.metadata, annotations: { ...annotations, ...added } }
    return {
      writes: [{ type: 'update', resource: PersistentVolumeClaim, current: claim, next: { ...claim, metadata } }],
    }
  }
  const message =
    `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system ` +
    'administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.'
  return pending(claim, [note(claim, 'ExternalProvisioning', message)])
}

function bindNamed(claim: Claim, volume: Volume | undefined): Plan {
  if (!volume) return pending(claim, [])
  if (volume.spec?.claimRef && !isFor(volume, claim)) {
    const message = `volume "${volume.metadata?.name}" already bound to a different claim.`
    return pending(claim, [note(claim, 'FailedBinding', message, 'Warning')])
  }
  const reason = volume.spec?.claimRef ? undefined : mismatch(volume, claim)
  if (reason === undefined) return bind(claim, volume)
  const message = `Cannot bind to requested volume "${volume.metadata?.name}": ${reason}`
  return pending(claim, [note(claim, 'VolumeMismatch', message, 'Warning')])
}

function keepBound(claim: Claim, view: View): Plan {
  const { volumeName } = claim.spec ?? {}
  const volume = volumeName ? view.of<Volume>(PersistentVolume).get(volumeName) : undefined
  if (volume && (!volume.spec?.claimRef || isFor(volume, claim))) return bind(claim, volume)
  const [reason, message] = volume
    ? ['ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly']
    : volumeName
      ? ['ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!']
      : ['ClaimLost', 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!']
  const notes = claim.status?.phase === 'Lost' ? [] : [note(claim, reason, message, 'Warning')]
  return { status: withPhase(claim, 'Lost', undefined), notes }
}

/** What is still missing of a binding. */
function bind(claim: Claim, volume: Volume): Plan {
  if (!volume.spec?.claimRef?.uid) {
    return { writes: [{ type: 'update', resource: PersistentVolume, current: volume, next: claimedBy(volume, claim) }] }
  }
  const { annotations } = claim.metadata ?? {}
  if (!claim.spec?.volumeName || annotations?.[BIND_COMPLETED] === undefined) {
    const own = claim.spec?.volumeName ? {} : { [BOUND_BY_CONTROLLER]: 'yes' }
    const next = {
      ...claim,
      metadata: { ...claim.metadata, annotations: { ...annotations, ...own, [BIND_COMPLETED]: 'yes' } },
      spec: { ...claim.spec, volumeName: volume.metadata?.name ?? '' },
    } as Claim
    return { writes: [{ type: 'update', resource: PersistentVolumeClaim, current: claim, next }] }
  }
  const bound = { status: withPhase(claim, 'Bound', volume) }
  const isGrowing = compareQuantities(claim.spec?.resources?.requests?.storage ?? '0', hasOf(claim, volume)) > 0
  if (!isGrowing || volume.metadata?.annotations?.[PROVISIONED_BY] === LOCAL) return bound
  const message = 'waiting for an external controller to expand this PVC'
  return { ...bound, notes: [note(claim, 'ExternalExpanding', message)] }
}

/** What a bound claim has, or will have when its status is written. */
const hasOf = ({ status }: Claim, { spec }: Volume) => status?.capacity?.storage ?? spec?.capacity?.storage ?? '0'
