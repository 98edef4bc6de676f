import type { CSIStorageCapacity as Type } from '../../generated/types/storage-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { createdAtColumns } from '../columns.ts'
import { csiStorageCapacityRules } from './csi-storage-capacity.validate.ts'

/** storage/v1 CSIStorageCapacity. */
export type CSIStorageCapacity = Type

export const CSIStorageCapacity = defineKind<CSIStorageCapacity>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIStorageCapacity',
  plural: 'csistoragecapacities',
  singular: 'csistoragecapacity',
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.storage.v1.CSIStorageCapacity',
  rules: csiStorageCapacityRules,
  columns: createdAtColumns,
})
