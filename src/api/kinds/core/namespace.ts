import type { Namespace as Type } from '../../generated/types/core-v1.ts'
import { defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn } from '../columns.ts'

/** core/v1 Namespace. */
export type Namespace = Type

export const Namespace = defineKind<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  singular: 'namespace',
  shortNames: ['ns'],
  namespaced: false,
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  schema: 'io.k8s.api.core.v1.Namespace',
  status: true,
  subresources: [{ name: 'finalize', verbs: ['update'] }],
  nameFormat: 'dns-label',
  columns: [nameColumn, ageColumn],
})
