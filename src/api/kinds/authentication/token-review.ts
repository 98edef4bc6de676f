import type { TokenReview as Type } from '../../generated/types/authentication-v1.ts'
import { defineKind } from '../../machinery/kind.ts'
import { nameColumn } from '../columns.ts'

/** authentication/v1 TokenReview. */
export type TokenReview = Type

export const TokenReview = defineKind<TokenReview>({
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenReview',
  plural: 'tokenreviews',
  singular: 'tokenreview',
  namespaced: false,
  verbs: ['create'],
  schema: 'io.k8s.api.authentication.v1.TokenReview',
  virtual: true,
  columns: [nameColumn],
})
