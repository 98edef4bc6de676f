import type { Binding as Type } from '../../generated/types/core-v1.ts'
import { defineKind } from '../../machinery/kind.ts'
import { nameColumn } from '../columns.ts'

/** core/v1 Binding. */
export type Binding = Type

export const Binding = defineKind<Binding>({
  group: '',
  version: 'v1',
  kind: 'Binding',
  plural: 'bindings',
  singular: 'binding',
  namespaced: true,
  verbs: ['create'],
  schema: 'io.k8s.api.core.v1.Binding',
  virtual: true,
  columns: [nameColumn],
})
