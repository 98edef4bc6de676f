import type { ResourceClaim as Type } from '../../generated/types/resource-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn } from '../columns.ts'

/** resource/v1 ResourceClaim. */
export type ResourceClaim = Type

export const ResourceClaim = defineKind<ResourceClaim>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaim',
  plural: 'resourceclaims',
  singular: 'resourceclaim',
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.resource.v1.ResourceClaim',
  status: true,
  columns: [nameColumn, ageColumn],
})
