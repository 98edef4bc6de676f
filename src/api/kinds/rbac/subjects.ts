/** Subjects of role bindings and cluster role bindings: their defaults and columns. */
import type { ClusterRoleBinding, RoleBinding } from '../../generated/types/rbac-v1.ts'
import type { Column } from '../../machinery/kind.ts'
import { wide } from '../columns.ts'

const GROUP = 'rbac.authorization.k8s.io'

/** Fills the API groups that go without saying. */
export function defaultBinding(binding: RoleBinding | ClusterRoleBinding): void {
  if (binding.roleRef) binding.roleRef.apiGroup ||= GROUP
  for (const subject of binding.subjects ?? []) {
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= GROUP
  }
}

const names = (binding: RoleBinding | ClusterRoleBinding, kind: string) =>
  (binding.subjects ?? [])
    .filter(subject => subject.kind === kind)
    .map(({ namespace, name }) => (kind === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : name))
    .join(', ')

export const subjectColumns: readonly Column<RoleBinding | ClusterRoleBinding>[] = [
  wide('Users', binding => names(binding, 'User')),
  wide('Groups', binding => names(binding, 'Group')),
  wide('ServiceAccounts', binding => names(binding, 'ServiceAccount')),
]
