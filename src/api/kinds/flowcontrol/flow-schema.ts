import type { FlowSchema as Type } from '../../generated/types/flowcontrol-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { flowSchemaRules } from './flow-schema.validate.ts'

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
  defaults(schema) {
    schema.spec ??= {} as FlowSchema['spec'] & object
    schema.spec.matchingPrecedence ||= 1000
  },
  rules: flowSchemaRules,
  columns: [
    nameColumn,
    text('PriorityLevel', ({ spec }) => spec?.priorityLevelConfiguration?.name ?? ''),
    text('MatchingPrecedence', ({ spec }) => spec?.matchingPrecedence ?? 0),
    text('DistinguisherMethod', ({ spec }) => spec?.distinguisherMethod?.type ?? '<none>'),
    ageColumn,
    text('MissingPL', ({ status }) => status?.conditions?.find(({ type }) => type === 'Dangling')?.status ?? '?'),
  ],
})
