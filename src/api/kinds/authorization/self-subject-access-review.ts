import type { SelfSubjectAccessReview as Type } from '../../generated/types/authorization-v1.ts'
import { defineKind } from '../../machinery/kind.ts'
import { nameColumn } from '../columns.ts'

/** authorization/v1 SelfSubjectAccessReview. */
export type SelfSubjectAccessReview = Type

export const SelfSubjectAccessReview = defineKind<SelfSubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  singular: 'selfsubjectaccessreview',
  namespaced: false,
  verbs: ['create'],
  schema: 'io.k8s.api.authorization.v1.SelfSubjectAccessReview',
  virtual: true,
  columns: [nameColumn],
})
