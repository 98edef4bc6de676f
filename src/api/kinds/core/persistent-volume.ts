import type { PersistentVolume as Type } from '../../generated/types/core-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn } from '../columns.ts'

/** core/v1 PersistentVolume. */
export type PersistentVolume = Type

export const PersistentVolume = defineKind<PersistentVolume>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  singular: 'persistentvolume',
  shortNames: ['pv'],
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.core.v1.PersistentVolume',
  status: true,
  columns: [nameColumn, ageColumn],
})
