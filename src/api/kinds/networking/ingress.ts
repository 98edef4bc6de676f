import type { Ingress as Type } from '../../generated/types/networking-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn } from '../columns.ts'

/** networking/v1 Ingress. */
export type Ingress = Type

export const Ingress = defineKind<Ingress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  singular: 'ingress',
  shortNames: ['ing'],
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.networking.v1.Ingress',
  status: true,
  generation: true,
  columns: [nameColumn, ageColumn],
})
