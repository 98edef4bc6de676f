/** The short form in which the bootstrap policy is kept, and the objects that it stands for. */
import type { Binding, PolicyRule, Role, Subject } from '../authorization/rbac/rules.ts'

export interface RoleSource {
  /** `verbs urls` or `verbs groups resources [names]`, each a list joined by commas; the core group is `core`. */
  readonly rules?: readonly string[]
  /** Its rules are those of all roles with the label `rbac.authorization.k8s.io/aggregate-to-…`. */
  readonly aggregate?: string
  /** Carries that label. */
  readonly aggregateTo?: string
}

export interface BindingSource {
  /** `user:NAME`, `group:NAME` or `account:NAMESPACE/NAME`. */
  readonly subjects: readonly string[]
  /** Name of the role, where it is not that of the binding. */
  readonly role?: string
}

const GROUP = 'rbac.authorization.k8s.io'
const API_VERSION = `${GROUP}/v1`

/** A rule from its short form. */
export function parseRule(text: string): PolicyRule {
  const [verbs, second, resources, names] = text.split(' ').map(list => list.split(','))
  if (!resources) return { verbs: verbs!, nonResourceURLs: second! }
  return {
    verbs: verbs!,
    apiGroups: second!.map(group => (group === 'core' ? '' : group)),
    resources,
    ...(names && { resourceNames: names }),
  }
}

/** A subject from its short form. */
export function parseSubject(text: string): Subject {
  const cut = text.indexOf(':')
  const [type, name] = [text.slice(0, cut), text.slice(cut + 1)]
  if (type === 'account') {
    const [namespace, account] = name.split('/')
    return { kind: 'ServiceAccount', name: account!, namespace: namespace! }
  }
  return { kind: type === 'user' ? 'User' : 'Group', apiGroup: GROUP, name }
}

const metadata = (key: string, labels: Record<string, string> = {}) => {
  const cut = key.indexOf('/')
  return {
    name: key.slice(cut + 1),
    ...(cut > 0 && { namespace: key.slice(0, cut) }),
    labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
    annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
  }
}

/** Role (key `namespace/name`) or ClusterRole (key `name`). */
export function roleFrom(key: string, source: RoleSource): Role {
  const label = (to: string) => ({ [`${GROUP}/aggregate-to-${to}`]: 'true' })
  return {
    apiVersion: API_VERSION,
    kind: key.includes('/') ? 'Role' : 'ClusterRole',
    metadata: metadata(key, source.aggregateTo ? label(source.aggregateTo) : {}),
    rules: (source.rules ?? []).map(parseRule),
    ...(source.aggregate && {
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: label(source.aggregate) }] },
    }),
  }
}

/** RoleBinding (key `namespace/name`) or ClusterRoleBinding (key `name`). */
export function bindingFrom(key: string, source: BindingSource): Binding {
  const meta = metadata(key)
  const roleKind = meta.namespace ? 'Role' : 'ClusterRole'
  return {
    apiVersion: API_VERSION,
    kind: `${roleKind}Binding`,
    metadata: meta,
    roleRef: { apiGroup: GROUP, kind: roleKind, name: source.role ?? meta.name },
    ...(source.subjects.length > 0 && { subjects: source.subjects.map(parseSubject) }),
  }
}
