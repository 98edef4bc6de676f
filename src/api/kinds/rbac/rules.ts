/** Rules of roles and their bindings (k8s.io/kubernetes `pkg/apis/rbac/validation`). */
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
  Subject,
} from '../../generated/types/rbac-v1.ts'
import { invalid, notSupported, required } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { validateLabelSelector } from '../../machinery/label-selector.ts'
import { isDns1123Subdomain, isPathSegment } from '../../machinery/names.ts'
import type { Errors } from '../rules.ts'
import { check, checkFormat, sameValue } from '../rules.ts'

const GROUP = 'rbac.authorization.k8s.io'

function checkRule(rule: PolicyRule, namespaced: boolean, path: string, errors: Errors): void {
  const { verbs, nonResourceURLs = [], apiGroups = [], resources = [], resourceNames = [] } = rule
  if (!verbs?.length) errors.push(required(`${path}.verbs`, 'verbs must contain at least one value'))
  const at = `${path}.nonResourceURLs`
  if (nonResourceURLs.length) {
    if (namespaced) errors.push(invalid(at, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'))
    if (apiGroups.length || resources.length || resourceNames.length) {
      const why = 'rules cannot apply to both regular resources and non-resource URLs'
      errors.push(invalid(at, nonResourceURLs, why))
    }
    return
  }
  if (!apiGroups.length) {
    errors.push(required(`${path}.apiGroups`, 'resource rules must supply at least one api group'))
  }
  if (!resources.length) {
    errors.push(required(`${path}.resources`, 'resource rules must supply at least one resource'))
  }
}

export const roleRules: readonly Rule<Role>[] = [
  check(({ rules = [] }, errors) => {
    for (const [index, rule] of rules.entries()) checkRule(rule, true, `rules[${index}]`, errors)
  }),
]

export const clusterRoleRules: readonly Rule<ClusterRole>[] = [
  check(({ rules = [], aggregationRule }, errors) => {
    for (const [index, rule] of rules.entries()) checkRule(rule, false, `rules[${index}]`, errors)
    if (!aggregationRule) return
    const path = 'aggregationRule.clusterRoleSelectors'
    const selectors = aggregationRule.clusterRoleSelectors ?? []
    if (!selectors.length) {
      errors.push(required(path, 'at least one clusterRoleSelector required if aggregationRule is non-nil'))
    }
    for (const [index, selector] of selectors.entries()) {
      const problems = validateLabelSelector(selector, `${path}[${index}]`)
      errors.push(...problems)
      // Upstream says it twice.
      if (problems.length) errors.push(invalid(`${path}[${index}]`, null, 'invalid label selector.'))
    }
  }),
]

function checkSubject(subject: Subject, namespaced: boolean, path: string, errors: Errors): void {
  const { kind, name, apiGroup = '', namespace } = subject
  if (!name) errors.push(required(`${path}.name`))
  switch (kind) {
    case 'ServiceAccount':
      if (name) checkFormat(isDns1123Subdomain(name), name, `${path}.name`, errors)
      if (apiGroup) errors.push(notSupported(`${path}.apiGroup`, apiGroup, ['']))
      if (!namespaced && !namespace) errors.push(required(`${path}.namespace`))
      return
    case 'User':
    case 'Group':
      if (apiGroup !== GROUP) errors.push(notSupported(`${path}.apiGroup`, apiGroup, [GROUP]))
      return
    default:
      errors.push(notSupported(`${path}.kind`, kind ?? '', ['ServiceAccount', 'User', 'Group']))
  }
}

/** Rules of a binding that may name roles of these kinds. */
const bindingRules = (namespaced: boolean, kinds: readonly string[]): Rule<RoleBinding | ClusterRoleBinding> =>
  check(({ roleRef, subjects = [] }, errors, old) => {
    const { apiGroup = '', kind = '', name = '' } = roleRef ?? {}
    if (apiGroup !== GROUP) errors.push(notSupported('roleRef.apiGroup', apiGroup, [GROUP]))
    if (!kinds.includes(kind)) errors.push(notSupported('roleRef.kind', kind, kinds))
    if (!name) errors.push(required('roleRef.name'))
    else checkFormat(isPathSegment(name), name, 'roleRef.name', errors)
    for (const [index, subject] of subjects.entries()) checkSubject(subject, namespaced, `subjects[${index}]`, errors)
    if (old && !sameValue(old.roleRef, roleRef)) errors.push(invalid('roleRef', roleRef, 'cannot change roleRef'))
  })

export const roleBindingRules: readonly Rule<RoleBinding>[] = [bindingRules(true, ['Role', 'ClusterRole'])]
export const clusterRoleBindingRules: readonly Rule<ClusterRoleBinding>[] = [bindingRules(false, ['ClusterRole'])]
