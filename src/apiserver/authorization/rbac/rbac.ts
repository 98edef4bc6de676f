/**
 * Role-based access control over the registry's live view of roles and bindings. Bindings are indexed by subject as
 * they change, so a decision looks only at what concerns its user; decisions are kept until a role or binding changes.
 */
import type { Kind } from '../../../api/machinery/kind.ts'
import { kindKey } from '../../../api/machinery/kind.ts'
import type { KubeObject } from '../../../api/machinery/object.ts'
import type { UserInfo } from '../../authentication/authenticator.ts'
import type { KindReader } from '../../registry/registry.ts'
import type { Attributes, Decision, LocalAuthorizer } from '../authorizer.ts'
import {
  type Binding,
  nameMatches,
  type PolicyRule,
  type Role,
  type RoleRef,
  ruleMatches,
  type Subject,
} from './rules.ts'

const GROUP = 'rbac.authorization.k8s.io'

/** What is read of the registry. */
export interface RbacDeps {
  kind(key: string): Kind | undefined
  reader(kind: Kind): KindReader
}

/** The rules that hold for someone, and what could not be found out. */
export interface UserRules {
  readonly rules: readonly PolicyRule[]
  /** Roles that are bound but do not exist. */
  readonly errors: readonly string[]
}

export interface Rbac {
  /** Never denies for later authorizers: it allows, or has no opinion. */
  readonly authorize: LocalAuthorizer
  /** Rules for the whole cluster and, when `namespace` is not '', of that namespace. */
  rulesFor(user: UserInfo, namespace: string): UserRules
  /** Rules of a role that a binding in `namespace` refers to; undefined when there is no such role. */
  rulesOf(ref: RoleRef, namespace: string): readonly PolicyRule[] | undefined
  /** Ends the subscription to changes. */
  close(): void
}

/** One binding as seen from one of its subjects. */
interface Grant {
  readonly binding: Binding
  readonly subject: Subject
}

/** Decisions kept for one user. `byName`: a rule with resource names decides, so the name must be looked at. */
type Kept = Map<string, Decision | 'byName'>

/** Users come and go; beyond so many distinct questions of one user the answers are forgotten. */
const KEPT_PER_USER = 4096

const subjectKey = (subject: Subject, namespace: string): string | undefined => {
  if (subject.kind === 'User') return `u:${subject.name}`
  if (subject.kind === 'Group') return `g:${subject.name}`
  if (subject.kind !== 'ServiceAccount') return undefined
  const home = subject.namespace || namespace
  return home && `u:system:serviceaccount:${home}:${subject.name}`
}

const describeSubject = (subject: Subject, namespace: string) =>
  subject.kind === 'ServiceAccount'
    ? `${subject.kind} ${JSON.stringify(`${subject.name}/${subject.namespace || namespace}`)}`
    : `${subject.kind} ${JSON.stringify(subject.name)}`

/** The words that a SubjectAccessReview gives as its reason. */
const describeGrant = ({ binding, subject }: Grant) => {
  const { name = '', namespace = '' } = binding.metadata ?? {}
  const [kind, shown] = namespace ? ['RoleBinding', `${name}/${namespace}`] : ['ClusterRoleBinding', name]
  const role = `${binding.roleRef.kind} ${JSON.stringify(binding.roleRef.name)}`
  return `RBAC: allowed by ${kind} ${JSON.stringify(shown)} of ${role} to ${describeSubject(subject, namespace)}`
}

/** Grants by namespace ('' is the cluster) and subject. */
type Grants = Map<string, Map<string, Grant[]>>

function place(grants: Grants, binding: Binding, add: boolean): void {
  const { namespace = '' } = binding.metadata ?? {}
  for (const subject of binding.subjects ?? []) {
    const key = subjectKey(subject, namespace)
    if (!key) continue
    const scope = grants.get(namespace) ?? new Map<string, Grant[]>()
    grants.set(namespace, scope)
    const list = (scope.get(key) ?? []).filter(grant => grant.binding.metadata?.name !== binding.metadata?.name)
    if (add) list.push({ binding, subject })
    if (list.length) scope.set(key, list)
    else scope.delete(key)
    if (scope.size === 0) grants.delete(namespace)
  }
}

const NO_OPINION: Decision = { allowed: false }

/** Starts an authorizer over the registry. Current with every write of this process. */
export function openRbac(deps: RbacDeps): Rbac {
  const reader = (plural: string) => {
    const kind = deps.kind(kindKey(GROUP, 'v1', plural))
    if (!kind) throw new Error(`RBAC needs the kind ${plural}.${GROUP}, which is not served`)
    return deps.reader(kind)
  }
  const roles = reader('roles')
  const clusterRoles = reader('clusterroles')
  const grants: Grants = new Map()
  let kept = new WeakMap<UserInfo, Kept>()

  const forget = () => {
    kept = new WeakMap()
  }
  const follow = (bindings: KindReader) => {
    for (const { value } of bindings.list()) place(grants, value as Binding, true)
    return bindings.onChange((previous, current) => {
      if (previous) place(grants, previous.value as Binding, false)
      if (current) place(grants, current.value as Binding, true)
      forget()
    })
  }
  const ends = [
    roles.onChange(forget),
    clusterRoles.onChange(forget),
    follow(reader('rolebindings')),
    follow(reader('clusterrolebindings')),
  ]

  const rulesOf = (ref: RoleRef, namespace: string): readonly PolicyRule[] | undefined => {
    const role = ref.kind === 'Role' ? roles.get(namespace, ref.name) : clusterRoles.get('', ref.name)
    return role && ((role.value as Role & KubeObject).rules ?? [])
  }

  function* grantsFor(user: UserInfo, namespace: string): Generator<Grant> {
    for (const scope of namespace ? ['', namespace] : ['']) {
      const bySubject = grants.get(scope)
      if (!bySubject) continue
      yield* bySubject.get(`u:${user.name}`) ?? []
      for (const group of user.groups) yield* bySubject.get(`g:${group}`) ?? []
    }
  }

  const missing = ({ binding: { roleRef } }: Grant) =>
    `${roleRef.kind.toLowerCase()}.${GROUP} ${JSON.stringify(roleRef.name)} not found`

  const decide = (request: Attributes): { decision: Decision; byName: boolean } => {
    const errors = new Set<string>()
    let byName = false
    for (const grant of grantsFor(request.user, request.namespace)) {
      const rules = rulesOf(grant.binding.roleRef, grant.binding.metadata?.namespace ?? '')
      if (!rules) errors.add(missing(grant))
      for (const rule of rules ?? []) {
        if (!ruleMatches(rule, request)) continue
        if (nameMatches(rule, request.name))
          return {
            decision: { allowed: true, reason: describeGrant(grant) },
            byName: byName || Boolean(rule.resourceNames?.length),
          }
        byName = true
      }
    }
    if (!errors.size) return { decision: NO_OPINION, byName }
    const list = [...errors]
    return {
      decision: { allowed: false, reason: `RBAC: ${list.length > 1 ? `[${list.join(', ')}]` : list[0]}` },
      byName,
    }
  }

  const authorize: LocalAuthorizer = request => {
    let known = kept.get(request.user)
    if (!known || known.size > KEPT_PER_USER) kept.set(request.user, (known = new Map()))
    const question = request.isResource
      ? `${request.verb} ${request.group}/${request.resource}/${request.subresource} ${request.namespace}`
      : `${request.verb} ${request.path}`
    const before = known.get(question)
    if (before && before !== 'byName') return before
    const { decision, byName } = decide(request)
    known.set(question, byName ? 'byName' : decision)
    return decision
  }

  return {
    authorize,
    rulesOf,
    rulesFor(user, namespace) {
      const rules: PolicyRule[] = []
      const errors = new Set<string>()
      for (const grant of grantsFor(user, namespace)) {
        const found = rulesOf(grant.binding.roleRef, grant.binding.metadata?.namespace ?? '')
        if (found) rules.push(...found)
        else errors.add(missing(grant))
      }
      return { rules, errors: [...errors] }
    },
    close() {
      for (const end of ends) end()
    },
  }
}
