/** Which volume suits a claim (as upstream's storage volume helpers). */

import type { Node, PersistentVolume, PersistentVolumeClaim } from '../generated/types/core-v1.ts'
import { everything, selectorFromLabelSelector } from './label-selector.ts'
import { matchesTerm } from './node-match.ts'
import { quantityValue } from './quantity.ts'

const CLASS = 'volume.beta.kubernetes.io/storage-class'

/** The class that an object names, in its field or, as of old, its annotation; '' for none. */
export const classOf = ({ metadata, spec }: PersistentVolume | PersistentVolumeClaim): string =>
  metadata?.annotations?.[CLASS] ?? spec?.storageClassName ?? ''

/** The volume says that it is this claim's, or is reserved for one of that name. */
export function isFor({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const { claimRef } = spec ?? {}
  if (!claimRef || claimRef.name !== metadata?.name || claimRef.namespace !== metadata?.namespace) return false
  return !claimRef.uid || claimRef.uid === metadata?.uid
}

/** A volume says this where a binder, not a person, chose its claim; a claim where it chose the volume. */
export const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller'
/** A claim says for which node its volume is to be made. */
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node'
/** A volume says which provisioner made it. */
export const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by'
/** A claim says who is to make its volume. */
export const STORAGE_PROVISIONER = 'volume.kubernetes.io/storage-provisioner'
/** The provisioner of classes whose volumes are made by people. */
export const NO_PROVISIONER = 'kubernetes.io/no-provisioner'

const sizeOf = (amounts: Readonly<Record<string, string>> | undefined) => quantityValue(amounts?.storage ?? '0')
const modeOf = (spec: { volumeMode?: string } | undefined) => spec?.volumeMode ?? 'Filesystem'
const allows = (volume: PersistentVolume, claim: PersistentVolumeClaim) =>
  (claim.spec?.accessModes ?? []).every(mode => volume.spec?.accessModes?.includes(mode))

/** Why a volume that a claim names cannot be its; undefined where it can. */
export function mismatch(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  if (volume.metadata?.deletionTimestamp) return `the volume is marked for deletion "${volume.metadata.name}"`
  if (sizeOf(volume.spec?.capacity) < sizeOf(claim.spec?.resources?.requests)) return 'requested PV is too small'
  if (classOf(volume) !== classOf(claim)) return 'storageClassName does not match'
  if ((volume.spec?.volumeAttributesClassName ?? '') !== (claim.spec?.volumeAttributesClassName ?? ''))
    return 'volumeAttributesClassName does not match'
  if (modeOf(volume.spec) !== modeOf(claim.spec)) return 'incompatible volumeMode'
  return allows(volume, claim) ? undefined : 'incompatible accessMode'
}

/** Whether the volume can be reached from a node. */
export function isReachable(volume: PersistentVolume, node: Node): boolean {
  const terms = volume.spec?.nodeAffinity?.required?.nodeSelectorTerms
  return !terms || terms.some(term => matchesTerm(term, node))
}

/**
 * The volume that is reserved for the claim, or the smallest free one that suits, with as few access modes as may be.
 * `reservedOnly`: others are left to whoever knows the node. `node`: it must be reachable from there.
 */
export function bestFor(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  { reservedOnly, node }: { readonly reservedOnly: boolean; readonly node: Node | undefined },
): PersistentVolume | undefined {
  const selector = claim.spec?.selector ? selectorFromLabelSelector(claim.spec.selector) : everything
  const fits = (volume: PersistentVolume) =>
    mismatch(volume, claim) === undefined && (!node || isReachable(volume, node))
  const reserved = volumes.find(volume => isFor(volume, claim) && fitsReserved(volume, claim))
  if (reserved) return reserved
  if (reservedOnly) return undefined
  return volumes
    .filter(volume => !volume.spec?.claimRef && volume.status?.phase === 'Available')
    .filter(volume => selector.matches(volume.metadata?.labels) && fits(volume))
    .sort(bySize)[0]
}

/** A volume that is reserved by name need not be of the claim's class. */
function fitsReserved(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const reason = mismatch(volume, claim)
  return reason === undefined || reason === 'storageClassName does not match'
}

/** The volume as this claim's. One that was reserved by name keeps saying so. */
export function claimedBy(volume: PersistentVolume, claim: PersistentVolumeClaim): PersistentVolume {
  const { namespace, name, uid, resourceVersion } = claim.metadata ?? {}
  const annotations = {
    ...volume.metadata?.annotations,
    ...(!volume.spec?.claimRef && { [BOUND_BY_CONTROLLER]: 'yes' }),
  }
  const claimRef = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid, resourceVersion }
  return {
    ...volume,
    metadata: { ...volume.metadata, ...(Object.keys(annotations).length > 0 && { annotations }) },
    spec: { ...volume.spec, claimRef },
  } as PersistentVolume
}

const bySize = (a: PersistentVolume, b: PersistentVolume) =>
  (a.spec?.accessModes?.length ?? 0) - (b.spec?.accessModes?.length ?? 0) ||
  sizeOf(a.spec?.capacity) - sizeOf(b.spec?.capacity) ||
  (a.metadata?.name ?? '').localeCompare(b.metadata?.name ?? '')
