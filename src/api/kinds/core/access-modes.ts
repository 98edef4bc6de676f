/** Cells that volumes and claims share. */
import type { ObjectMeta } from '../../machinery/object.ts'

const SHORT = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
] as const

/** `RWO,ROX`, in a fixed order. */
export const accessModes = (modes: readonly string[] | undefined): string =>
  SHORT.filter(([mode]) => modes?.includes(mode))
    .map(([, short]) => short)
    .join(',')

/** The storage class, by the field or by the annotation of old. */
export const storageClass = (meta: ObjectMeta | undefined, spec: { storageClassName?: string } | undefined): string =>
  meta?.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec?.storageClassName ?? ''
