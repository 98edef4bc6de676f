import type { ResourceQuota as Type } from '../../generated/types/core-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn } from '../columns.ts'

/** core/v1 ResourceQuota. */
export type ResourceQuota = Type

export const ResourceQuota = defineKind<ResourceQuota>({
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  singular: 'resourcequota',
  shortNames: ['quota'],
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.core.v1.ResourceQuota',
  status: true,
  columns: [nameColumn, ageColumn],
})
