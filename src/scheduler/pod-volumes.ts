/**
 * Which volumes a pod would have on a node (as upstream's volume binder): those that its claims are bound to, free ones
 * for claims that wait for their first consumer, and ones that would have to be made there.
 */
import type { Node } from '../api/kinds/core/node.ts'
import type { PersistentVolume } from '../api/kinds/core/persistent-volume.ts'
import type { PersistentVolumeClaim } from '../api/kinds/core/persistent-volume-claim.ts'
import type { Pod } from '../api/kinds/core/pod.ts'
import { claimNameOf } from '../api/kinds/core/pod-references.ts'
import type { CSIStorageCapacity } from '../api/kinds/storage/csi-storage-capacity.ts'
import { selectorFromLabelSelector } from '../api/machinery/label-selector.ts'
import { quantityValue } from '../api/machinery/quantity.ts'
import { bestFor, classOf, isFor, isReachable, NO_PROVISIONER, SELECTED_NODE } from '../api/machinery/volume-match.ts'
import { objectKey } from '../client/informer-types.ts'
import type { Binding, Storage } from './storage.ts'

/** Claims of a pod as far as no node matters. */
export interface PodVolumes {
  readonly bound: readonly PersistentVolumeClaim[]
  /** Wait for their first consumer; the smallest first. */
  readonly delayed: readonly PersistentVolumeClaim[]
}

const NODE_CONFLICT = "node(s) didn't match PersistentVolume's node affinity"
const BIND_CONFLICT = "node(s) didn't find available persistent volumes to bind"
const NO_SPACE = 'node(s) did not have enough free storage'
const NO_VOLUME = 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)'

/** A claim that a pod uses; `own` are those of generic ephemeral volumes, which are named for the pod. */
export interface ClaimUse {
  readonly name: string
  readonly own: boolean
}

/** The claims that a pod uses. */
export const claimsOf = (pod: Pod): ClaimUse[] =>
  (pod.spec?.volumes ?? []).flatMap((volume): ClaimUse[] => {
    const name = claimNameOf(pod, volume)
    return name === undefined ? [] : [{ name, own: Boolean(volume.ephemeral) }]
  })

const sizeOf = ({ spec }: PersistentVolumeClaim) => quantityValue(spec?.resources?.requests?.storage ?? '0')

/** Sorts the claims of a pod; a sentence where no node can have it as they are. */
export function readClaims(pod: Pod, storage: Storage): PodVolumes | string {
  const bound: PersistentVolumeClaim[] = []
  const delayed: PersistentVolumeClaim[] = []
  let isWaiting = false
  for (const { name, own } of claimsOf(pod)) {
    const claim = storage.claim(objectKey(pod.metadata?.namespace, name))
    const quoted = JSON.stringify(name)
    if (!claim && own) return `waiting for ephemeral volume controller to create the persistentvolumeclaim ${quoted}`
    if (!claim) return `persistentvolumeclaim ${quoted} not found`
    const { volumeName } = claim.spec ?? {}
    if (claim.status?.phase === 'Lost')
      return `persistentvolumeclaim ${quoted} bound to non-existent persistentvolume ${JSON.stringify(volumeName)}`
    if (claim.metadata?.deletionTimestamp) return `persistentvolumeclaim ${quoted} is being deleted`
    if (volumeName && claim.status?.phase === 'Bound') bound.push(claim)
    else if (!volumeName && storage.bindingMode(claim) === 'WaitForFirstConsumer') delayed.push(claim)
    else isWaiting = true
  }
  if (isWaiting) return 'pod has unbound immediate PersistentVolumeClaims'
  return { bound, delayed: delayed.sort((a, b) => sizeOf(a) - sizeOf(b)) }
}

/** The volumes that the pod would have on a node; the reasons where it cannot have them there. */
export function findVolumes(
  { bound, delayed }: PodVolumes,
  node: Node,
  storage: Storage,
): { readonly binding: Binding } | { readonly reasons: readonly string[] } {
  const reasons = new Set<string>()
  for (const claim of bound) {
    const volume = storage.volume(claim.spec?.volumeName ?? '')
    if (!volume) reasons.add(NO_VOLUME)
    else if (!isReachable(volume, node)) reasons.add(NODE_CONFLICT)
  }
  const volumes: Binding['volumes'][number][] = []
  const provisioned: PersistentVolumeClaim[] = []
  const taken = new Set<string | undefined>()
  for (const claim of delayed) {
    const volume = match(claim, node, storage, taken)
    if (volume) {
      taken.add(volume.metadata?.name)
      if (!volume.spec?.claimRef?.uid) volumes.push({ claim, volume })
      continue
    }
    const problem = provision(claim, node, storage)
    if (problem) reasons.add(problem)
    else provisioned.push(claim)
  }
  if (reasons.size > 0) return { reasons: [...reasons] }
  return { binding: { volumes, provisioned, nodeName: node.metadata?.name ?? '' } }
}

/** A volume for a claim on a node: its own already, or the best of those that are free. */
function match(
  claim: PersistentVolumeClaim,
  node: Node,
  storage: Storage,
  taken: ReadonlySet<string | undefined>,
): PersistentVolume | undefined {
  // It was decided that a volume is made.
  if (claim.metadata?.annotations?.[SELECTED_NODE] !== undefined) return undefined
  const all = storage.volumesOf(classOf(claim)).filter(each => !taken.has(each.metadata?.name))
  const own = all.find(volume => isFor(volume, claim))
  if (own) return isReachable(own, node) ? own : undefined
  return bestFor(claim, all, { reservedOnly: false, node })
}

/** Why no volume can be made for a claim on a node. */
function provision(claim: PersistentVolumeClaim, node: Node, storage: Storage): string | undefined {
  const selected = claim.metadata?.annotations?.[SELECTED_NODE]
  if (selected !== undefined) return selected === node.metadata?.name ? undefined : BIND_CONFLICT
  const storageClass = storage.storageClass(classOf(claim))
  if (!storageClass?.provisioner || storageClass.provisioner === NO_PROVISIONER) return BIND_CONFLICT
  const { allowedTopologies = [] } = storageClass
  const labels = node.metadata?.labels ?? {}
  const isAllowed = allowedTopologies.some(({ matchLabelExpressions = [] }) =>
    matchLabelExpressions.every(({ key, values }) => values.includes(labels[key] ?? '')),
  )
  if (allowedTopologies.length > 0 && !isAllowed) return BIND_CONFLICT
  const capacities = storage.capacities(storageClass)
  return !capacities || capacities.some(each => hasRoom(each, sizeOf(claim), labels)) ? undefined : NO_SPACE
}

/** What a driver says of a segment of nodes suffices for one more volume (API doc: CSIStorageCapacity). */
function hasRoom(
  { capacity, maximumVolumeSize, nodeTopology }: CSIStorageCapacity,
  size: number,
  labels: Readonly<Record<string, string>>,
): boolean {
  const limit = maximumVolumeSize ?? capacity
  if (limit === undefined || quantityValue(limit) < size || !nodeTopology) return false
  return selectorFromLabelSelector(nodeTopology).matches(labels)
}
