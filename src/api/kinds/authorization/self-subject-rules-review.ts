import type { SelfSubjectRulesReview as Type } from '../../generated/types/authorization-v1.ts'
import { defineKind } from '../../machinery/kind.ts'
import { nameColumn } from '../columns.ts'

/** authorization/v1 SelfSubjectRulesReview. */
export type SelfSubjectRulesReview = Type

export const SelfSubjectRulesReview = defineKind<SelfSubjectRulesReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectRulesReview',
  plural: 'selfsubjectrulesreviews',
  singular: 'selfsubjectrulesreview',
  namespaced: false,
  verbs: ['create'],
  schema: 'io.k8s.api.authorization.v1.SelfSubjectRulesReview',
  virtual: true,
  columns: [nameColumn],
})
