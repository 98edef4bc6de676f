import type { RuntimeClass as Type } from '../../generated/types/node-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { canonicalResources } from '../core/resources.ts'

/** node/v1 RuntimeClass. */
export type RuntimeClass = Type

export const RuntimeClass = defineKind<RuntimeClass>({
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  singular: 'runtimeclass',
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.node.v1.RuntimeClass',
  defaults({ overhead }) {
    canonicalResources(overhead?.podFixed)
  },
  columns: [nameColumn, text('Handler', ({ handler }) => handler ?? ''), ageColumn],
})
