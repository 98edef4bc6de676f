/** Rules about what webhooks, policies and bindings match. */
import { duplicate, type FieldError, invalid, notSupported, required } from '../../machinery/field-error.ts'
import { type LabelSelector, validateLabelSelector } from '../../machinery/label-selector.ts'
import { isPathSegment } from '../../machinery/names.ts'

/** admissionregistration/v1 RuleWithOperations. */
export interface OperationsRule {
  readonly operations?: readonly string[]
  readonly apiGroups?: readonly string[]
  readonly apiVersions?: readonly string[]
  readonly resources?: readonly string[]
  readonly scope?: string
}

interface NamedRule extends OperationsRule {
  readonly resourceNames?: readonly string[]
}

/** admissionregistration/v1 MatchResources. */
export interface MatchResourcesSpec {
  readonly matchPolicy?: string
  readonly namespaceSelector?: LabelSelector
  readonly objectSelector?: LabelSelector
  readonly resourceRules?: readonly NamedRule[]
  readonly excludeResourceRules?: readonly NamedRule[]
}

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
const SCOPES = ['*', 'Cluster', 'Namespaced']

/** All of the list, or `*` alone. */
function wildcardAlone(field: string, values: readonly string[] | undefined, others: string): FieldError[] {
  if (values === undefined || values.length === 0) return [required(field)]
  if (values.length < 2 || !values.includes('*')) return []
  return [invalid(field, values, `if '*' is present, must not specify other ${others}`)]
}

/** What is wrong with a rule of a webhook or a policy. */
export function operationsRuleErrors(rule: OperationsRule, path: string): FieldError[] {
  const { operations = [], apiVersions = [], resources = [], scope } = rule
  return [
    ...wildcardAlone(`${path}.operations`, operations, 'operations'),
    ...operations.flatMap((each, index) =>
      OPERATIONS.includes(each) ? [] : [notSupported(`${path}.operations[${index}]`, each, OPERATIONS)],
    ),
    ...wildcardAlone(`${path}.apiGroups`, rule.apiGroups, 'API groups'),
    ...wildcardAlone(`${path}.apiVersions`, apiVersions, 'API versions'),
    ...apiVersions.flatMap((each, index) => (each === '' ? [required(`${path}.apiVersions[${index}]`)] : [])),
    ...resourceErrors(resources, `${path}.resources`),
    ...(scope === undefined || SCOPES.includes(scope) ? [] : [notSupported(`${path}.scope`, scope, SCOPES)]),
  ]
}

function resourceErrors(resources: readonly string[], path: string): FieldError[] {
  if (resources.length === 0) return [required(path)]
  const errors: FieldError[] = []
  const allOf = new Set<string>()
  const everywhere = new Set<string>()
  for (const [index, each] of resources.entries()) {
    const at = `${path}[${index}]`
    if (each === '') errors.push(required(at))
    const slash = each.indexOf('/')
    if (slash < 0) continue
    const [resource, sub] = [each.slice(0, slash), each.slice(slash + 1)]
    if (allOf.has(resource)) errors.push(invalid(at, each, `if '${resource}/*' is present, must not specify ${each}`))
    if (everywhere.has(sub)) errors.push(invalid(at, each, `if '*/${sub}' is present, must not specify ${each}`))
    if (sub === '*') allOf.add(resource)
    if (resource === '*') everywhere.add(sub)
  }
  if (resources.length > 1 && resources.includes('*/*'))
    errors.push(invalid(path, resources, "if '*/*' is present, must not specify other resources"))
  const bare = resources.filter(each => each !== '' && !each.includes('/')).at(-1)
  if (resources.includes('*') && bare !== undefined && bare !== '*') {
    const detail = "if '*' is present, must not specify other resources without subresources"
    errors.push(invalid(path, resources, detail))
  }
  return errors
}

function namedRuleErrors(rule: NamedRule, path: string): FieldError[] {
  const names = new Set<string>()
  const errors: FieldError[] = []
  for (const [index, name] of (rule.resourceNames ?? []).entries()) {
    const at = `${path}.resourceNames[${index}]`
    for (const detail of isPathSegment(name)) errors.push(invalid(at, name, detail))
    if (names.has(name)) errors.push(duplicate(at, name))
    names.add(name)
  }
  return [...errors, ...operationsRuleErrors(rule, path)]
}

const POLICIES = ['Equivalent', 'Exact']

/** What is wrong with the match resources of a policy or a binding. */
export function matchResourcesErrors(match: MatchResourcesSpec | undefined, path: string): FieldError[] {
  if (match === undefined) return []
  const { matchPolicy, namespaceSelector, objectSelector, resourceRules = [], excludeResourceRules = [] } = match
  const policy = POLICIES.includes(matchPolicy ?? '')
    ? []
    : [notSupported(`${path}.matchPolicy`, matchPolicy ?? '', POLICIES)]
  return [
    ...policy,
    ...validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`),
    ...validateLabelSelector(objectSelector, `${path}.objectSelector`),
    ...resourceRules.flatMap((rule, index) => namedRuleErrors(rule, `${path}.resourceRules[${index}]`)),
    ...excludeResourceRules.flatMap((rule, index) => namedRuleErrors(rule, `${path}.excludeResourceRules[${index}]`)),
  ]
}

const MUTABLE = ['*', 'CONNECT', 'CREATE', 'UPDATE']

/** Mutating policies are about writes only. */
export function mutableOperationErrors(match: MatchResourcesSpec | undefined, path: string): FieldError[] {
  const operations = (match?.resourceRules ?? []).flatMap(rule => rule.operations ?? [])
  const bad = operations.filter(each => !MUTABLE.includes(each))
  return bad.map(each => notSupported(`${path}.resourceRules.operations`, each, MUTABLE))
}
