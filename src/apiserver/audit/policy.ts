/** Which requests are noted, and how much of them: audit.k8s.io/v1 Policy. The first rule that fits decides. */
import type { Attributes } from '../authorization/authorizer.ts'
import { readConfiguration, type Shape } from '../configuration/read.ts'

export const LEVELS = ['None', 'Metadata', 'Request', 'RequestResponse'] as const
export type Level = (typeof LEVELS)[number]

export const STAGES = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const
export type Stage = (typeof STAGES)[number]

export interface GroupResources {
  readonly group?: string
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
}

export interface PolicyRule {
  readonly level: Level
  readonly users?: readonly string[]
  readonly userGroups?: readonly string[]
  readonly verbs?: readonly string[]
  readonly resources?: readonly GroupResources[]
  readonly namespaces?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
  readonly omitStages?: readonly Stage[]
  readonly omitManagedFields?: boolean
}

export interface Policy {
  readonly rules: readonly PolicyRule[]
  readonly omitStages?: readonly Stage[]
  readonly omitManagedFields?: boolean
}

/** What is to be noted of one request. */
export interface Plan {
  readonly level: Level
  readonly omitStages: ReadonlySet<Stage>
  readonly omitManagedFields: boolean
}

const strings: Shape = ['string']
const SHAPE: Shape = {
  metadata: { name: 'string', creationTimestamp: 'string' },
  omitStages: strings,
  omitManagedFields: 'boolean',
  rules: [
    {
      level: 'string',
      users: strings,
      userGroups: strings,
      verbs: strings,
      resources: [{ group: 'string', resources: strings, resourceNames: strings }],
      namespaces: strings,
      nonResourceURLs: strings,
      omitStages: strings,
      omitManagedFields: 'boolean',
    },
  ],
}

function checkStages(stages: readonly string[] = [], at: string) {
  stages.forEach((stage, i) => {
    if (!(STAGES as readonly string[]).includes(stage))
      throw new Error(`${at}[${i}]: Invalid value: ${JSON.stringify(stage)}: allowed stages are ${STAGES.join(',')}`)
  })
}

function checkUrls(urls: readonly string[] = [], at: string) {
  urls.forEach((url, i) => {
    if (url === '*') return
    const wrong = (why: string) => new Error(`${at}[${i}]: Invalid value: ${JSON.stringify(url)}: ${why}`)
    if (!url.startsWith('/')) throw wrong("non-resource URL rules must begin with a '/' character")
    if (url.slice(0, -1).includes('*'))
      throw wrong("non-resource URL wildcards '*' must be the final character of the rule")
  })
}

function checkRule(rule: PolicyRule, at: string) {
  if (!rule.level) throw new Error(`${at}.level: Required value`)
  if (!LEVELS.includes(rule.level)) {
    const supported = LEVELS.map(level => JSON.stringify(level)).join(', ')
    throw new Error(`${at}.level: Unsupported value: ${JSON.stringify(rule.level)}: supported values: ${supported}`)
  }
  checkUrls(rule.nonResourceURLs, `${at}.nonResourceURLs`)
  checkStages(rule.omitStages, `${at}.omitStages`)
  rule.resources?.forEach(({ group = '', resources, resourceNames }) => {
    if (group && group !== '*' && !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(group))
      throw new Error(
        `${at}.resources.group: Invalid value: ${JSON.stringify(group)}: a group without a version is meant`,
      )
    if (resourceNames?.length && !resources?.length)
      throw new Error(`${at}.resources.resourceNames: using resourceNames requires at least one resource`)
  })
  if (rule.nonResourceURLs?.length && (rule.resources?.length || rule.namespaces?.length))
    throw new Error(`${at}.nonResourceURLs: rules cannot apply to both regular resources and non-resource URLs`)
}

/** Reads a policy. Rejects with an Error that names the field that is wrong. */
export async function readPolicy(text: string): Promise<Policy> {
  const policy = await readConfiguration<Policy>(text, 'Policy', SHAPE, { group: 'audit.k8s.io', versions: ['v1'] })
  if (!policy.rules?.length) throw new Error('rules: Required value: a policy without rules notes nothing')
  checkStages(policy.omitStages, 'omitStages')
  for (const [i, rule] of policy.rules.entries()) checkRule(rule, `rules[${i}]`)
  return policy
}

const has = (list: readonly string[] | undefined, value: string) => !list?.length || list.includes(value)

const pathFits = (path: string, spec: string) =>
  spec === '*' || spec === path || (spec.endsWith('*') && path.startsWith(spec.slice(0, -1)))

function resourceFits({ group = '', resources, resourceNames }: GroupResources, of: Attributes): boolean {
  if (group !== '*' && group !== of.group) return false
  if (!resources?.length) return true
  if (resourceNames?.length && !resourceNames.includes(of.name)) return false
  const combined = of.subresource ? `${of.resource}/${of.subresource}` : of.resource
  return resources.some(
    each =>
      each === '*' ||
      each === combined ||
      (each.startsWith('*/') && of.subresource === each.slice(2)) ||
      (each.endsWith('/*') && of.resource === each.slice(0, -2)),
  )
}

function fits(rule: PolicyRule, of: Attributes): boolean {
  if (!has(rule.users, of.user.name) || !has(rule.verbs, of.verb)) return false
  if (rule.userGroups?.length && !of.user.groups.some(group => rule.userGroups!.includes(group))) return false
  if (rule.namespaces?.length || rule.resources?.length) {
    if (!of.isResource || !has(rule.namespaces, of.namespace)) return false
    return !rule.resources?.length || rule.resources.some(each => resourceFits(each, of))
  }
  if (rule.nonResourceURLs?.length) return !of.isResource && rule.nonResourceURLs.some(spec => pathFits(of.path, spec))
  return true
}

/** What the policy says of a request. */
export function planner(policy: Policy): (of: Attributes) => Plan {
  const plans = new Map<PolicyRule | undefined, Plan>()
  const planOf = (rule: PolicyRule | undefined): Plan => ({
    level: rule?.level ?? 'None',
    omitStages: new Set([...(policy.omitStages ?? []), ...(rule?.omitStages ?? [])]),
    omitManagedFields: rule?.omitManagedFields ?? policy.omitManagedFields ?? false,
  })
  return of => {
    const rule = policy.rules.find(each => fits(each, of))
    let plan = plans.get(rule)
    if (!plan) plans.set(rule, (plan = planOf(rule)))
    return plan
  }
}
