/** Rules of FlowSchemas (k8s.io/kubernetes `pkg/apis/flowcontrol/validation`). */
import type {
  FlowSchema,
  FlowSchemaSpec,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from '../../generated/types/flowcontrol-v1.ts'
import { forbidden, invalid, notSupported, required } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { isDns1123Label, isDns1123Subdomain } from '../../machinery/names.ts'
import { check, checkFormat, checkLabelName, checkSubdomain, type Errors, sameValue } from '../rules.ts'
import { checkConditionTypes } from './conditions.validate.ts'

const MAX_PRECEDENCE = 10_000
const DISTINGUISHERS = ['ByNamespace', 'ByUser']
const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch']

/** Each kind of subject has a part of its own, and only that. */
const PARTS = { ServiceAccount: 'serviceAccount', User: 'user', Group: 'group' } as const
type Part = (typeof PARTS)[keyof typeof PARTS]
/** In the order of what is said about them. */
const FOREIGN: Readonly<Record<Part, readonly Part[]>> = {
  serviceAccount: ['user', 'group'],
  user: ['serviceAccount', 'group'],
  group: ['serviceAccount', 'user'],
}
const kindOf = (part: Part) => part.charAt(0).toUpperCase() + part.slice(1)

function checkAccount(account: NonNullable<Subject['serviceAccount']>, path: string, errors: Errors): void {
  if (!account.name) errors.push(required(`${path}.name`))
  else if (account.name !== '*') checkSubdomain(account.name, `${path}.name`, errors)
  if (account.namespace) checkLabelName(account.namespace, `${path}.namespace`, errors)
  else errors.push(required(`${path}.namespace`, 'must specify namespace for service account'))
}

function checkSubject(subject: Subject, path: string, errors: Errors): void {
  const part = PARTS[subject.kind as keyof typeof PARTS]
  if (!part) {
    errors.push(notSupported(`${path}.kind`, subject.kind ?? '', Object.keys(PARTS).sort(byName)))
    return
  }
  const at = `${path}.${part}`
  if (!subject[part]) errors.push(required(at, `${part} is required when subject kind is '${subject.kind}'`))
  else if (part === 'serviceAccount') checkAccount(subject[part], at, errors)
  else if (!subject[part].name) errors.push(required(`${at}.name`))
  for (const other of FOREIGN[part]) {
    if (subject[other] === undefined) continue
    errors.push(forbidden(`${path}.${other}`, `${other} is forbidden when subject kind is not '${kindOf(other)}'`))
  }
}
const byName = (a: string, b: string) => (a < b ? -1 : 1)

/** Says what is wrong with a list that may hold `*`, alone. False: there is more to look at. */
function checkWildcard(
  list: readonly string[] | undefined,
  { none, others }: { readonly none: string; readonly others: string },
  path: string,
  errors: Errors,
): boolean {
  if (!list?.length) errors.push(required(path, none))
  else if (!list.includes('*')) return false
  else if (list.length > 1) errors.push(invalid(path, list, `if '*' is present, must not specify other ${others}`))
  return true
}

function checkVerbs(verbs: readonly string[] | undefined, path: string, errors: Errors): void {
  const words = { none: 'verbs must contain at least one value', others: 'verbs' }
  if (checkWildcard(verbs, words, path, errors)) return
  if (!verbs!.every(verb => VERBS.includes(verb))) errors.push(notSupported(path, verbs, VERBS))
}

function urlProblem(url: string): string | undefined {
  if (url === '') return 'must not be empty'
  if (url === '/') return undefined
  if (!url.startsWith('/')) return 'must start with slash'
  if (url.includes(' ')) return 'must not contain white-space'
  if (url.includes('//')) return 'must not contain double slash'
  const stars = url.split('*').length - 1
  return stars > 1 || (stars === 1 && !url.endsWith('/*')) ? 'wildcard can only do suffix matching' : undefined
}

function checkNonResource({ verbs, nonResourceURLs: urls }: NonResourcePolicyRule, path: string, errors: Errors): void {
  checkVerbs(verbs, `${path}.verbs`, errors)
  const at = `${path}.nonResourceURLs`
  const words = { none: 'nonResourceURLs must contain at least one value', others: 'non-resource URLs' }
  if (checkWildcard(urls, words, at, errors)) return
  for (const [index, url] of urls!.entries()) {
    const problem = urlProblem(url)
    if (problem) errors.push(invalid(`${at}[${index}]`, url, problem))
  }
}

function checkNamespaces({ namespaces, clusterScope }: ResourcePolicyRule, path: string, errors: Errors): void {
  if (clusterScope && !namespaces?.length) return
  const words = {
    none: 'resource rules that are not cluster scoped must supply at least one namespace',
    others: 'namespaces',
  }
  if (checkWildcard(namespaces, words, path, errors)) return
  for (const [index, name] of namespaces!.entries()) {
    const problems = isDns1123Label(name).map(
      text => `each member of this list must be '*' or a DNS-1123 label; ${text}`,
    )
    checkFormat(problems, name, `${path}[${index}]`, errors)
  }
}

function checkResource(rule: ResourcePolicyRule, path: string, errors: Errors): void {
  checkVerbs(rule.verbs, `${path}.verbs`, errors)
  const groups = { none: 'resource rules must supply at least one api group', others: 'api groups' }
  checkWildcard(rule.apiGroups, groups, `${path}.apiGroups`, errors)
  const resources = { none: 'resource rules must supply at least one resource', others: 'resources' }
  checkWildcard(rule.resources, resources, `${path}.resources`, errors)
  checkNamespaces(rule, `${path}.namespaces`, errors)
}

function checkRule(rule: PolicyRulesWithSubjects, path: string, errors: Errors): void {
  const { subjects = [], resourceRules = [], nonResourceRules = [] } = rule
  for (const [index, subject] of subjects.entries()) checkSubject(subject, `${path}.subjects[${index}]`, errors)
  if (!subjects.length) errors.push(required(`${path}.subjects`, 'subjects must contain at least one value'))
  if (!resourceRules.length && !nonResourceRules.length) {
    errors.push(required(path, 'at least one of resourceRules and nonResourceRules has to be non-empty'))
  }
  for (const [index, one] of resourceRules.entries()) checkResource(one, `${path}.resourceRules[${index}]`, errors)
  for (const [index, one] of nonResourceRules.entries()) {
    checkNonResource(one, `${path}.nonResourceRules[${index}]`, errors)
  }
}

function checkPrecedence(value: number, name: string | undefined, path: string, errors: Errors): void {
  if (value <= 0) errors.push(invalid(path, value, 'must be a positive value'))
  if (value > MAX_PRECEDENCE) errors.push(invalid(path, value, `must not be greater than ${MAX_PRECEDENCE}`))
  if (value === 1 && name !== 'exempt') {
    errors.push(invalid(path, value, "only the schema named 'exempt' may have matchingPrecedence 1"))
  }
}

const ALL_RESOURCES = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }
const ALL_URLS = { verbs: ['*'], nonResourceURLs: ['*'] }
const everything = (...groups: string[]) => ({
  subjects: groups.map(name => ({ kind: 'Group', group: { name } })),
  resourceRules: [ALL_RESOURCES],
  nonResourceRules: [ALL_URLS],
})

/** Two flows must always be there, and be as they are. */
const MANDATORY: Readonly<Record<string, unknown>> = {
  exempt: {
    priorityLevelConfiguration: { name: 'exempt' },
    matchingPrecedence: 1,
    rules: [everything('system:masters')],
  },
  'catch-all': {
    priorityLevelConfiguration: { name: 'catch-all' },
    matchingPrecedence: 10_000,
    distinguisherMethod: { type: 'ByUser' },
    rules: [everything('system:unauthenticated', 'system:authenticated')],
  },
}

export const flowSchemaRules: readonly Rule<FlowSchema>[] = [
  check<FlowSchema>(({ metadata, spec = {} as FlowSchemaSpec, status }, errors) => {
    const name = metadata?.name
    checkPrecedence(spec.matchingPrecedence ?? 0, name, 'spec.matchingPrecedence', errors)
    const method = spec.distinguisherMethod
    if (method && !DISTINGUISHERS.includes(method.type ?? '')) {
      errors.push(notSupported('spec.distinguisherMethod.type', method, DISTINGUISHERS))
    }
    const level = spec.priorityLevelConfiguration?.name
    const at = 'spec.priorityLevelConfiguration.name'
    if (level) checkFormat(isDns1123Subdomain(level), level, at, errors)
    else errors.push(required(at, 'must reference a priority level'))
    for (const [index, rule] of (spec.rules ?? []).entries()) checkRule(rule, `spec.rules[${index}]`, errors)
    const fixed = name && Object.hasOwn(MANDATORY, name) ? MANDATORY[name] : undefined
    if (fixed && !sameValue(spec, fixed)) {
      errors.push(invalid('spec', spec, `spec of '${name}' must equal the fixed value`))
    }
    checkConditionTypes(status?.conditions, errors)
  }),
]
