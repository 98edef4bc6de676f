import type { Lease as Type } from '../../generated/types/coordination-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'

/** coordination/v1 Lease. */
export type Lease = Type

export const Lease = defineKind<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  singular: 'lease',
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.coordination.v1.Lease',
  durability: 'relaxed',
  columns: [nameColumn, text('Holder', ({ spec }) => spec?.holderIdentity ?? ''), ageColumn],
})
