import type { IngressClass as Type } from '../../generated/types/networking-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn } from '../columns.ts'

/** networking/v1 IngressClass. */
export type IngressClass = Type

export const IngressClass = defineKind<IngressClass>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  plural: 'ingressclasses',
  singular: 'ingressclass',
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.networking.v1.IngressClass',
  generation: true,
  columns: [nameColumn, ageColumn],
})
