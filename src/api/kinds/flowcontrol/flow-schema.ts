import type { FlowSchema as Type } from '../../generated/types/flowcontrol-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn } from '../columns.ts'

/** flowcontrol/v1 FlowSchema. */
export type FlowSchema = Type

export const FlowSchema = defineKind<FlowSchema>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'FlowSchema',
  plural: 'flowschemas',
  singular: 'flowschema',
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.flowcontrol.v1.FlowSchema',
  status: true,
  generation: true,
  columns: [nameColumn, ageColumn],
})
