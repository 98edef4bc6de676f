import type { StorageClass as Type } from '../../generated/types/storage-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { storageClassRules } from './storage-class.validate.ts'

/** storage/v1 StorageClass. */
export type StorageClass = Type

const isDefault = (annotations: Record<string, string> | undefined) =>
  annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true' ||
  annotations?.['storageclass.beta.kubernetes.io/is-default-class'] === 'true'

export const StorageClass = defineKind<StorageClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  singular: 'storageclass',
  shortNames: ['sc'],
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.storage.v1.StorageClass',
  defaults(storageClass) {
    storageClass.reclaimPolicy ??= 'Delete'
    storageClass.volumeBindingMode ??= 'Immediate'
  },
  rules: storageClassRules,
  columns: [
    {
      ...nameColumn,
      cell: ({ metadata }) => `${metadata?.name}${isDefault(metadata?.annotations) ? ' (default)' : ''}`,
    },
    text('Provisioner', ({ provisioner }) => provisioner ?? ''),
    text('ReclaimPolicy', ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete'),
    text('VolumeBindingMode', ({ volumeBindingMode }) => volumeBindingMode ?? 'Immediate'),
    text('AllowVolumeExpansion', ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false),
    ageColumn,
  ],
})
