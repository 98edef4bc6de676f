import type { SubjectAccessReview as Type } from '../../generated/types/authorization-v1.ts'
import { defineKind } from '../../machinery/kind.ts'
import { nameColumn } from '../columns.ts'

/** authorization/v1 SubjectAccessReview. */
export type SubjectAccessReview = Type

export const SubjectAccessReview = defineKind<SubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  singular: 'subjectaccessreview',
  namespaced: false,
  verbs: ['create'],
  schema: 'io.k8s.api.authorization.v1.SubjectAccessReview',
  virtual: true,
  columns: [nameColumn],
})
