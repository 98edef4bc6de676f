import type { CSINode as Type } from '../../generated/types/storage-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, count, nameColumn } from '../columns.ts'
import { csiNodeRules } from './csi-node.validate.ts'

/** storage/v1 CSINode. */
export type CSINode = Type

export const CSINode = defineKind<CSINode>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  plural: 'csinodes',
  singular: 'csinode',
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.storage.v1.CSINode',
  rules: csiNodeRules,
  columns: [nameColumn, count('Drivers', ({ spec }) => spec?.drivers?.length), ageColumn],
})
