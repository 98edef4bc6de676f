/** Which requests belong to a FlowSchema, and which of them are one flow (KEP-1040). Compiled once per schema. */
import type {
  FlowSchema,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from '../../api/generated/types/flowcontrol-v1.ts'
import type { UserInfo } from '../authentication/authenticator.ts'
import type { ServerRequest } from '../request.ts'

export interface Flow {
  readonly name: string
  readonly uid: string
  /** Name of the priority level. */
  readonly level: string
  readonly precedence: number
  matches(request: ServerRequest): boolean
  /** What tells one flow of the schema from another; '' where all are one. */
  distinguisher(request: ServerRequest): string
}

const ANY = '*'
type Match<T> = (of: T) => boolean

/** Whether a list names a value, or all of them. */
function names(list: readonly string[] | undefined): Match<string> {
  const set = new Set(list)
  return set.has(ANY) ? () => true : value => set.has(value)
}

function subject({ kind, user, group, serviceAccount }: Subject): Match<UserInfo> {
  if (kind === 'User') return user?.name === ANY ? () => true : ({ name }) => name === user?.name
  if (kind === 'Group') return group?.name === ANY ? () => true : ({ groups }) => groups.includes(group?.name ?? '')
  if (kind !== 'ServiceAccount' || !serviceAccount) return () => false
  const prefix = `system:serviceaccount:${serviceAccount.namespace}:`
  if (serviceAccount.name === ANY) return ({ name }) => name.startsWith(prefix)
  const whole = prefix + serviceAccount.name
  return ({ name }) => name === whole
}

function resourceRule(rule: ResourcePolicyRule): Match<ServerRequest> {
  const verb = names(rule.verbs)
  const group = names(rule.apiGroups)
  const resource = names(rule.resources)
  const namespace = names(rule.namespaces)
  return ({ info }) =>
    verb(info.verb) &&
    group(info.group) &&
    resource(info.subresource ? `${info.resource}/${info.subresource}` : info.resource) &&
    (info.namespace === '' ? rule.clusterScope === true : namespace(info.namespace))
}

function pathRule(rule: NonResourcePolicyRule): Match<ServerRequest> {
  const verb = names(rule.verbs)
  const urls = rule.nonResourceURLs ?? []
  const exact = names(urls)
  const prefixes = urls.filter(url => url.endsWith(ANY)).map(url => url.slice(0, -1))
  return ({ info, path }) => verb(info.verb) && (exact(path) || prefixes.some(prefix => path.startsWith(prefix)))
}

function rule({ subjects, resourceRules, nonResourceRules }: PolicyRulesWithSubjects): Match<ServerRequest> {
  const who = (subjects ?? []).map(subject)
  const resources = (resourceRules ?? []).map(resourceRule)
  const paths = (nonResourceRules ?? []).map(pathRule)
  return request => {
    const { user } = request
    if (!who.some(matches => matches(user))) return false
    return (request.info.isResource ? resources : paths).some(matches => matches(request))
  }
}

/** Compiles a schema. */
export function compileFlow({ metadata, spec }: FlowSchema): Flow {
  const rules = (spec?.rules ?? []).map(rule)
  const method = spec?.distinguisherMethod?.type
  return {
    name: metadata?.name ?? '',
    uid: metadata?.uid ?? '',
    level: spec?.priorityLevelConfiguration?.name ?? '',
    precedence: spec?.matchingPrecedence ?? 1000,
    matches: request => rules.some(matches => matches(request)),
    distinguisher: request =>
      method === 'ByUser' ? request.user.name : method === 'ByNamespace' ? request.info.namespace : '',
  }
}

/** The order in which schemas are tried. */
export const byPrecedence = (a: Flow, b: Flow) => a.precedence - b.precedence || (a.name < b.name ? -1 : 1)
