/**
 * What a policy rule of RBAC allows and what it covers (API doc: rbac.authorization.k8s.io/v1 PolicyRule). Pure.
 */
import type { LabelSelector } from '../../../api/machinery/label-selector.ts'
import type { KubeObject } from '../../../api/machinery/object.ts'
import type { Attributes } from '../authorizer.ts'

export interface PolicyRule {
  verbs?: readonly string[]
  apiGroups?: readonly string[]
  resources?: readonly string[]
  resourceNames?: readonly string[]
  nonResourceURLs?: readonly string[]
}

export interface RoleRef {
  apiGroup?: string
  kind: string
  name: string
}

export interface Subject {
  kind: string
  apiGroup?: string
  name: string
  namespace?: string
}

/** A Role, or a ClusterRole, which may have an aggregation rule. */
export interface Role extends KubeObject {
  rules?: PolicyRule[]
  aggregationRule?: { clusterRoleSelectors?: LabelSelector[] }
}

/** A RoleBinding or ClusterRoleBinding. */
export interface Binding extends KubeObject {
  roleRef: RoleRef
  subjects?: Subject[]
}

const has = (set: readonly string[] | undefined, value: string) => set?.includes(value) ?? false
const hasOrStar = (set: readonly string[] | undefined, value: string) => has(set, '*') || has(set, value)

/** Whether a pattern of nonResourceURLs (`*`, `/healthz`, `/healthz/*`) covers a path or a narrower pattern. */
const urlCovers = (pattern: string, path: string) =>
  pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.replace(/\*+$/, '')))

function resourceMatches(rule: PolicyRule, resource: string, subresource: string): boolean {
  if (hasOrStar(rule.resources, subresource ? `${resource}/${subresource}` : resource)) return true
  return subresource !== '' && has(rule.resources, `*/${subresource}`)
}

/** Whether a rule speaks of a request, its object's name left aside. */
export function ruleMatches(rule: PolicyRule, request: Attributes): boolean {
  if (!hasOrStar(rule.verbs, request.verb)) return false
  if (!request.isResource) return rule.nonResourceURLs?.some(pattern => urlCovers(pattern, request.path)) ?? false
  return hasOrStar(rule.apiGroups, request.group) && resourceMatches(rule, request.resource, request.subresource)
}

/** Whether a rule that matches allows this name too. */
export const nameMatches = (rule: PolicyRule, name: string) =>
  !rule.resourceNames?.length || rule.resourceNames.includes(name)

/** The same permissions as rules of one verb, group, resource, name or URL each. */
export function breakDown(rule: PolicyRule): PolicyRule[] {
  const parts: PolicyRule[] = []
  const verbs = rule.verbs ?? []
  const names = rule.resourceNames?.length ? rule.resourceNames.map(name => ({ resourceNames: [name] })) : [{}]
  for (const group of rule.apiGroups ?? [])
    for (const resource of rule.resources ?? [])
      for (const verb of verbs)
        for (const name of names) parts.push({ apiGroups: [group], resources: [resource], verbs: [verb], ...name })
  for (const url of rule.nonResourceURLs ?? [])
    for (const verb of verbs) parts.push({ nonResourceURLs: [url], verbs: [verb] })
  return parts
}

/** Whether `owner` gives all that `part`, one of `breakDown`'s, gives. */
function covers(owner: PolicyRule, part: PolicyRule): boolean {
  if (!hasOrStar(owner.verbs, part.verbs![0]!)) return false
  const url = part.nonResourceURLs?.[0]
  if (url !== undefined)
    return owner.nonResourceURLs?.some(pattern => (pattern === '*' ? true : urlCovers(pattern, url))) ?? false
  const [resource = '', subresource] = splitOnce(part.resources![0]!)
  const name = part.resourceNames?.[0]
  return (
    hasOrStar(owner.apiGroups, part.apiGroups![0]!) &&
    (hasOrStar(owner.resources, part.resources![0]!) ||
      (resource !== '' && subresource !== undefined && has(owner.resources, `*/${subresource}`))) &&
    (!owner.resourceNames?.length || (name !== undefined && owner.resourceNames.includes(name)))
  )
}

const splitOnce = (text: string): [string, string?] => {
  const at = text.indexOf('/')
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

/** What `wanted` gives beyond `owned`, in rules of one permission each; empty when nothing. */
export function missingPermissions(owned: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(breakDown).filter(part => !owned.some(owner => covers(owner, part)))
}

/** Rules with verbs gathered by group, resource and name. */
export function compactRules(rules: readonly PolicyRule[]): PolicyRule[] {
  const gathered = new Map<string, PolicyRule & { verbs: string[] }>()
  for (const { verbs = [], ...rest } of rules) {
    const key = JSON.stringify(rest)
    const known = gathered.get(key)
    if (known && rest.resources) known.verbs.push(...verbs)
    else gathered.set(rest.resources ? key : `${key} ${verbs}`, { ...rest, verbs: [...verbs] })
  }
  return [...gathered.values()]
}

/** A rule as messages about escalation show it: `{APIGroups:[""], Resources:["pods"], Verbs:["get"]}`. */
export function describeRule(rule: PolicyRule): string {
  const parts: [string, readonly string[] | undefined][] = [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['ResourceNames', rule.resourceNames],
    ['Verbs', rule.verbs],
  ]
  const shown = parts.filter(([, values]) => values?.length).map(([label, values]) => `${label}:${showList(values!)}`)
  return `{${shown.join(', ')}}`
}

/** A list of strings as Go's %q prints it: `["a" "b"]`. */
export const showList = (values: readonly string[]) => `[${values.map(value => JSON.stringify(value)).join(' ')}]`
