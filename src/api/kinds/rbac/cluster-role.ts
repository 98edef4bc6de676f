import type { ClusterRole as Type } from '../../generated/types/rbac-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { createdAtColumns } from '../columns.ts'
import { clusterRoleRules } from './rules.ts'

/** rbac/v1 ClusterRole. */
export type ClusterRole = Type

export const ClusterRole = defineKind<ClusterRole>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  singular: 'clusterrole',
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.rbac.v1.ClusterRole',
  nameFormat: 'path',
  rules: clusterRoleRules,
  columns: createdAtColumns,
})
