import { isDns1123Label, isDns1123Subdomain } from '../../names.ts'
import { fn, type Library, method } from '../declarations.ts'
import { fail } from '../errors.ts'
import { BOOL, STRING, sealedType } from '../types.ts'
import { Opaque } from '../values.ts'

export const AUTHORIZER = sealedType('kubernetes.authorization.Authorizer')
const PATH_CHECK = sealedType('kubernetes.authorization.PathCheck')
const GROUP_CHECK = sealedType('kubernetes.authorization.GroupCheck')
export const RESOURCE_CHECK = sealedType('kubernetes.authorization.ResourceCheck')
const DECISION = sealedType('kubernetes.authorization.Decision')

/** What an expression asks the authorizer. Either a path or a resource. */
export interface CelAccess {
  readonly verb: string
  /** Ask about this service account instead of the user of the request. */
  readonly serviceAccount?: { readonly namespace: string; readonly name: string }
  readonly path?: string
  readonly group?: string
  readonly resource?: string
  readonly subresource?: string
  readonly namespace?: string
  readonly name?: string
  readonly fieldSelector?: string
  readonly labelSelector?: string
}

/** What the authorizer says. */
export interface CelDecision {
  readonly allowed: boolean
  readonly reason: string
  readonly error: string
}

/** The server's authorizer, as an expression sees it. It may answer later. */
export type CelAuthorizer = (access: CelAccess) => CelDecision | Promise<CelDecision>

/**
 * Thrown by an evaluation that must wait for the authorizer: await `settled` and evaluate again; the answer is
 * remembered by the value that the evaluation was given.
 */
export class Waiting {
  readonly settled: Promise<unknown>
  constructor(settled: Promise<unknown>) {
    this.settled = settled
  }
}

/** The variable `authorizer`: asks the server, and remembers the answers for as long as it lives. */
export class AuthorizerValue extends Opaque {
  readonly typeName = AUTHORIZER.name
  readonly #ask: CelAuthorizer
  readonly #answers = new Map<string, CelDecision>()
  readonly #account: CelAccess['serviceAccount']

  constructor(ask: CelAuthorizer, account?: CelAccess['serviceAccount'], answers?: Map<string, CelDecision>) {
    super()
    this.#ask = ask
    this.#account = account
    if (answers !== undefined) this.#answers = answers
  }

  equals(other: AuthorizerValue): boolean {
    return other === this
  }

  /** The same authorizer asked about a service account. */
  as(namespace: string, name: string): AuthorizerValue {
    if (isDns1123Subdomain(name).length > 0) return fail('Invalid service account name')
    if (isDns1123Label(namespace).length > 0) return fail('Invalid service account namespace')
    return new AuthorizerValue(this.#ask, { namespace, name }, this.#answers)
  }

  /** @throws Waiting when the answer is not there yet */
  check(access: CelAccess): DecisionValue {
    const question = this.#account === undefined ? access : { ...access, serviceAccount: this.#account }
    const key = JSON.stringify(question)
    const known = this.#answers.get(key)
    if (known !== undefined) return new DecisionValue(known)
    const answer = this.#ask(question)
    if (!(answer instanceof Promise)) {
      this.#answers.set(key, answer)
      return new DecisionValue(answer)
    }
    throw new Waiting(answer.then(decision => this.#answers.set(key, decision)))
  }
}

abstract class Check extends Opaque {
  readonly authorizer: AuthorizerValue
  readonly access: Omit<CelAccess, 'verb'>
  constructor(authorizer: AuthorizerValue, access: Omit<CelAccess, 'verb'>) {
    super()
    this.authorizer = authorizer
    this.access = access
  }
  equals(other: Check): boolean {
    return JSON.stringify(other.access) === JSON.stringify(this.access)
  }
}

class PathCheck extends Check {
  readonly typeName = PATH_CHECK.name
}

class GroupCheck extends Check {
  readonly typeName = GROUP_CHECK.name
}

export class ResourceCheck extends Check {
  readonly typeName = RESOURCE_CHECK.name
}

class DecisionValue extends Opaque {
  readonly typeName = DECISION.name
  readonly decision: CelDecision
  constructor(decision: CelDecision) {
    super()
    this.decision = decision
  }
  equals(other: DecisionValue): boolean {
    return JSON.stringify(other.decision) === JSON.stringify(this.decision)
  }
}

function pathCheck(authorizer: AuthorizerValue, path: string): PathCheck {
  return path.trim() === '' ? fail('path must not be empty') : new PathCheck(authorizer, { path })
}

function resourceCheck({ authorizer, access }: GroupCheck, resource: string): ResourceCheck {
  if (resource.trim() === '') return fail('resource must not be empty')
  return new ResourceCheck(authorizer, { ...access, resource })
}

/** `resource(…).namespace(…)`: the question with one more detail. */
const detail = (name: 'subresource' | 'namespace' | 'name' | 'fieldSelector' | 'labelSelector', id: string) =>
  fn(
    name,
    method(
      id,
      [RESOURCE_CHECK, STRING],
      RESOURCE_CHECK,
      (check: ResourceCheck, value: string) => new ResourceCheck(check.authorizer, { ...check.access, [name]: value }),
    ),
  )

const check = ({ authorizer, access }: Check, verb: string) => authorizer.check({ ...access, verb })

/** Kubernetes' functions that ask the authorizer. */
export const AUTHORIZATION: Library = [
  fn('path', method('authorizer_path', [AUTHORIZER, STRING], PATH_CHECK, pathCheck)),
  fn(
    'group',
    method(
      'authorizer_group',
      [AUTHORIZER, STRING],
      GROUP_CHECK,
      (authorizer: AuthorizerValue, group: string) => new GroupCheck(authorizer, { group }),
    ),
  ),
  fn(
    'serviceAccount',
    method(
      'authorizer_serviceaccount',
      [AUTHORIZER, STRING, STRING],
      AUTHORIZER,
      (authorizer: AuthorizerValue, namespace: string, name: string) => authorizer.as(namespace, name),
    ),
  ),
  fn('resource', method('groupcheck_resource', [GROUP_CHECK, STRING], RESOURCE_CHECK, resourceCheck)),
  detail('subresource', 'resourcecheck_subresource'),
  detail('namespace', 'resourcecheck_namespace'),
  detail('name', 'resourcecheck_name'),
  detail('fieldSelector', 'authorizer_fieldselector'),
  detail('labelSelector', 'authorizer_labelselector'),
  fn(
    'check',
    method('pathcheck_check', [PATH_CHECK, STRING], DECISION, check),
    method('resourcecheck_check', [RESOURCE_CHECK, STRING], DECISION, check),
  ),
  fn(
    'errored',
    method('decision_errored', [DECISION], BOOL, ({ decision }: DecisionValue) => decision.error !== ''),
  ),
  fn(
    'error',
    method('decision_error', [DECISION], STRING, ({ decision }: DecisionValue) => decision.error),
  ),
  fn(
    'allowed',
    method('decision_allowed', [DECISION], BOOL, ({ decision }: DecisionValue) => decision.allowed),
  ),
  fn(
    'reason',
    method('decision_reason', [DECISION], STRING, ({ decision }: DecisionValue) => decision.reason),
  ),
]
