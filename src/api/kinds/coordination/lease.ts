import type { Lease as Type } from '../../generated/types/coordination-v1.ts'
import { invalid } from '../../machinery/field-error.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { check, nonNegative } from '../rules.ts'

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
  // Fields of coordinated leader election, which a default server does not have.
  prepareCreate({ spec }) {
    delete spec?.strategy
    delete spec?.preferredHolder
  },
  prepareUpdate({ spec }, { spec: old }) {
    if (spec && old?.strategy === undefined) delete spec.strategy
    if (spec && old?.preferredHolder === undefined) delete spec.preferredHolder
  },
  rules: [
    nonNegative('spec.leaseTransitions'),
    check(({ spec }, errors) => {
      const seconds = spec?.leaseDurationSeconds
      if (seconds !== undefined && seconds <= 0) {
        errors.push(invalid('spec.leaseDurationSeconds', seconds, 'must be greater than 0'))
      }
    }),
  ],
  columns: [nameColumn, text('Holder', ({ spec }) => spec?.holderIdentity ?? ''), ageColumn],
})
