/** What others know the provisioner of local volumes by. */
import type { PersistentVolume } from '../../api/kinds/core/persistent-volume.ts'
import type { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts'
import { quantityValue } from '../../api/machinery/quantity.ts'
import { PROVISIONED_BY } from '../../api/machinery/volume-match.ts'

/** Of StorageClasses whose volumes it makes. */
export const PROVISIONER = 'tutti.dev/local-path'
/** The class that a cluster has from the start. */
export const DEFAULT_CLASS = 'local-path'

/** Keeps a volume until its folder is removed, in whatever order claim and volume are deleted (KEP-2644). */
export const FINALIZER = 'external-provisioner.volume.kubernetes.io/finalizer'

const NODE = 'tutti.dev/node'

/** It is one of ours. */
export const isOurs = ({ metadata }: PersistentVolume): boolean =>
  metadata?.annotations?.[PROVISIONED_BY] === PROVISIONER

/** Where a volume's folder is: the node, and its name there. */
export function placeOf({ metadata, spec }: PersistentVolume): { readonly node: string; readonly folder: string } {
  return { node: metadata?.annotations?.[NODE] ?? '', folder: spec?.local?.path.split('/').at(-1) ?? '' }
}

/** What a claim asks for, bytes. */
export const sizeOf = ({ spec }: PersistentVolumeClaim): number =>
  quantityValue(spec?.resources?.requests?.storage ?? '0')

/** Annotations of a volume on a node. */
export const annotationsOf = (node: string) => ({ [PROVISIONED_BY]: PROVISIONER, [NODE]: node })
