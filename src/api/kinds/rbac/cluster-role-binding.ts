import type { ClusterRoleBinding as Type } from '../../generated/types/rbac-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { clusterRoleBindingRules } from './rules.ts'
import { defaultBinding, subjectColumns } from './subjects.ts'

/** rbac/v1 ClusterRoleBinding. */
export type ClusterRoleBinding = Type

export const ClusterRoleBinding = defineKind<ClusterRoleBinding>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  singular: 'clusterrolebinding',
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.rbac.v1.ClusterRoleBinding',
  nameFormat: 'path',
  defaults: defaultBinding,
  rules: clusterRoleBindingRules,
  columns: [
    nameColumn,
    text('Role', ({ roleRef }) => `${roleRef?.kind}/${roleRef?.name}`),
    ageColumn,
    ...subjectColumns,
  ],
})
