import type { PriorityLevelConfiguration as Type } from '../../generated/types/flowcontrol-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn } from '../columns.ts'

/** flowcontrol/v1 PriorityLevelConfiguration. */
export type PriorityLevelConfiguration = Type

export const PriorityLevelConfiguration = defineKind<PriorityLevelConfiguration>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'PriorityLevelConfiguration',
  plural: 'prioritylevelconfigurations',
  singular: 'prioritylevelconfiguration',
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration',
  status: true,
  generation: true,
  columns: [nameColumn, ageColumn],
})
