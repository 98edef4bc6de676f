/**
 * Nobody grants more than they have: checks on writes of roles and bindings (Kubernetes documentation, "Privilege
 * escalation prevention and bootstrapping"). Plugged in as hooks of the four kinds.
 */

import type { KubeObject } from '../../../api/machinery/object.ts'
import { forbidden, notFound } from '../../../api/machinery/status-error.ts'
import type { UserInfo } from '../../authentication/authenticator.ts'
import type { KindHooks, WriteContext } from '../../registry/registry.ts'
import type { Attributes, Authorizer } from '../authorizer.ts'
import { MASTERS } from '../authorizers.ts'
import type { Rbac } from './rbac.ts'
import {
  type Binding,
  compactRules,
  describeRule,
  missingPermissions,
  type PolicyRule,
  type Role,
  showList,
} from './rules.ts'

const GROUP = 'rbac.authorization.k8s.io'
const EVERYTHING: PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

const question = (user: UserInfo, verb: string, resource: string, namespace: string, name: string): Attributes => ({
  user,
  verb,
  isResource: true,
  group: GROUP,
  version: '*',
  namespace,
  resource,
  subresource: '',
  name,
  path: '',
})

/** Whether an update changes only what the garbage collector changes. */
function onlyGarbage(next: KubeObject, old: KubeObject): boolean {
  const trimmed = (object: KubeObject) => {
    const {
      ownerReferences: _o,
      finalizers: _f,
      managedFields: _m,
      resourceVersion: _r,
      ...rest
    } = object.metadata ?? {}
    return JSON.stringify({ ...object, metadata: rest })
  }
  return trimmed(next) === trimmed(old)
}

/** The hooks, by kind key. `authorize` answers for the verbs `escalate` and `bind`. */
export function escalationHooks(rbac: Rbac, authorize: Authorizer): ReadonlyMap<string, KindHooks> {
  const privileged = (user: UserInfo) => user.groups.includes(MASTERS)
  const allows = async (...of: Parameters<typeof question>) => (await authorize(question(...of))).allowed

  /** What `user` lacks of `wanted`, as the sentence that is shown; undefined when nothing. */
  const lack = (user: UserInfo, namespace: string, wanted: readonly PolicyRule[]): string | undefined => {
    const { rules, errors } = rbac.rulesFor(user, namespace)
    const missing = missingPermissions(rules, wanted)
    if (!missing.length) return undefined
    const shown = [...new Set(compactRules(missing).map(describeRule))].sort().join('\n')
    const unresolved = errors.length ? `; resolution errors: [${errors.join(' ')}]` : ''
    return `user ${JSON.stringify(user.name)} (groups=${showList(user.groups)}) is attempting to grant RBAC permissions not currently held:\n${shown}${unresolved}`
  }

  const checkRole = async (plural: string, next: Role, old: Role | undefined, { user }: WriteContext) => {
    const { namespace = '', name = '' } = next.metadata ?? {}
    if (privileged(user) || (await allows(user, 'escalate', plural, namespace, old ? name : ''))) return
    if (old && onlyGarbage(next, old)) return
    const of = { group: GROUP, plural }
    const fault = lack(user, namespace, next.rules ?? [])
    if (fault) throw forbidden(of, name, fault)
    const aggregates = (role?: Role) => Boolean(role?.aggregationRule?.clusterRoleSelectors?.length)
    if ((aggregates(next) || aggregates(old)) && lack(user, '', EVERYTHING))
      throw forbidden(of, name, 'must have cluster-admin privileges to use the aggregationRule')
  }

  const checkBinding = async (plural: string, next: Binding, old: Binding | undefined, { user }: WriteContext) => {
    const { namespace = '', name = '' } = next.metadata ?? {}
    if (privileged(user) || (old && onlyGarbage(next, old))) return
    const { roleRef } = next
    const resource = roleRef?.kind === 'Role' ? 'roles' : 'clusterroles'
    // What is wrong with the reference itself is for validation to say.
    if (!roleRef?.name) return
    if (await allows(user, 'bind', resource, namespace, roleRef.name)) return
    const rules = rbac.rulesOf(roleRef, namespace)
    if (!rules) throw notFound({ group: GROUP, plural: resource }, roleRef.name)
    const fault = lack(user, namespace, rules)
    if (fault) throw forbidden({ group: GROUP, plural }, name, fault)
  }

  const hooks = (
    check: (next: KubeObject, old: KubeObject | undefined, context: WriteContext) => Promise<void>,
  ): KindHooks => ({
    beforeCreate: (object, context) => check(object, undefined, context),
    beforeUpdate: (object, old, context) => check(object, old, context),
  })
  const role = (plural: string) => hooks((next, old, context) => checkRole(plural, next, old, context))
  const binding = (plural: string) =>
    hooks((next, old, context) => checkBinding(plural, next as Binding, old as Binding | undefined, context))
  return new Map([
    [`${GROUP}/v1/roles`, role('roles')],
    [`${GROUP}/v1/clusterroles`, role('clusterroles')],
    [`${GROUP}/v1/rolebindings`, binding('rolebindings')],
    [`${GROUP}/v1/clusterrolebindings`, binding('clusterrolebindings')],
  ])
}
