import type { Role as Type } from '../../generated/types/rbac-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { createdAtColumns } from '../columns.ts'
import { roleRules } from './rules.ts'

/** rbac/v1 Role. */
export type Role = Type

export const Role = defineKind<Role>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'Role',
  plural: 'roles',
  singular: 'role',
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.rbac.v1.Role',
  nameFormat: 'path',
  rules: roleRules,
  columns: createdAtColumns,
})
