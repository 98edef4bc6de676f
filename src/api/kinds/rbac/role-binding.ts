import type { RoleBinding as Type } from '../../generated/types/rbac-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { roleBindingRules } from './rules.ts'
import { defaultBinding, subjectColumns } from './subjects.ts'

/** rbac/v1 RoleBinding. */
export type RoleBinding = Type

export const RoleBinding = defineKind<RoleBinding>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'RoleBinding',
  plural: 'rolebindings',
  singular: 'rolebinding',
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.rbac.v1.RoleBinding',
  nameFormat: 'path',
  defaults: defaultBinding,
  rules: roleBindingRules,
  columns: [
    nameColumn,
    text('Role', ({ roleRef }) => `${roleRef?.kind}/${roleRef?.name}`),
    ageColumn,
    ...subjectColumns,
  ],
})
