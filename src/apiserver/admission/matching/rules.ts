/** Which requests a rule of a webhook or a policy is about (API doc: admissionregistration/v1 RuleWithOperations). */
import type { Kind } from '../../../api/machinery/kind.ts'
import type { AdmissionAttributes } from '../plugin.ts'

export interface Rule {
  readonly operations?: readonly string[]
  readonly apiGroups?: readonly string[]
  readonly apiVersions?: readonly string[]
  readonly resources?: readonly string[]
  readonly scope?: string
}

const has = (items: readonly string[] | undefined, wanted: string) =>
  items !== undefined && (items.includes('*') || items.includes(wanted))

const isNamespaces = ({ group, plural }: Kind) => group === '' && plural === 'namespaces'

/** The namespace of a request; of one about a namespace itself, its own name. */
export const namespaceOf = ({ kind, namespace, name }: AdmissionAttributes) => (isNamespaces(kind) ? name : namespace)

function inScope({ scope }: Rule, kind: Kind, { namespace }: AdmissionAttributes): boolean {
  if (scope === undefined || scope === '*') return true
  const namespaced = !isNamespaces(kind) && namespace !== ''
  return scope === 'Namespaced' ? namespaced : scope === 'Cluster' && !namespaced
}

function namesResource(resources: readonly string[] = [], plural: string, subresource: string): boolean {
  return resources.some(each => {
    const cut = each.indexOf('/')
    const [resource, sub] = cut < 0 ? [each, ''] : [each.slice(0, cut), each.slice(cut + 1)]
    return (resource === '*' || resource === plural) && (sub === '*' || sub === subresource)
  })
}

/** Whether a rule names the request, as one about `kind`. */
export const matchesRule = (rule: Rule, kind: Kind, request: AdmissionAttributes): boolean =>
  has(rule.operations, request.operation) &&
  inScope(rule, kind, request) &&
  has(rule.apiGroups, kind.group) &&
  has(rule.apiVersions, kind.version) &&
  namesResource(rule.resources, kind.plural, request.subresource)

/**
 * The kind as which rules name a request: its own, or with `equivalents` another that shows the same objects.
 * undefined where no rule does.
 */
export function matchRules(
  rules: readonly Rule[],
  request: AdmissionAttributes,
  equivalents: ((kind: Kind) => readonly Kind[]) | undefined,
): Kind | undefined {
  if (rules.some(rule => matchesRule(rule, request.kind, request))) return request.kind
  if (!equivalents) return undefined
  const others = equivalents(request.kind)
  for (const rule of others.length ? rules : [])
    for (const other of others) if (matchesRule(rule, other, request)) return other
  return undefined
}
