import type { Kind } from '../../../api/machinery/kind.ts'
import { type Selector, selectorFromLabelSelector } from '../../../api/machinery/label-selector.ts'
import type { KindReader } from '../../registry/registry.ts'
import { equivalentKinds, type KindSource } from '../matching/equivalents.ts'
import { matchesRule, type Rule } from '../matching/rules.ts'
import { matchesNamespace, matchesObject } from '../matching/selectors.ts'
import type { AdmissionAttributes } from '../plugin.ts'

/** A rule that may be about certain names only. */
interface NamedRule extends Rule {
  readonly resourceNames?: readonly string[]
}

/** admissionregistration/v1 MatchResources, as far as it is there. */
export interface MatchResources {
  readonly namespaceSelector?: object
  readonly objectSelector?: object
  readonly resourceRules?: readonly NamedRule[]
  readonly excludeResourceRules?: readonly NamedRule[]
  readonly matchPolicy?: string
}

/** What matching needs of the server. */
export interface MatchDeps {
  readonly kinds: KindSource
  readonly namespaces: KindReader
}

/**
 * Whether a request matches: the kind as which the rules name it, undefined for no.
 *
 * @throws StatusError when a selector asks about a namespace that is not there
 */
export type Matches = (request: AdmissionAttributes) => Kind | undefined

/** Compiles the match constraints of a policy or of a binding. */
export function matchResources(criteria: MatchResources | undefined, deps: MatchDeps): Matches {
  if (criteria === undefined) return request => request.kind
  const namespaceSelector = selectorFromLabelSelector(criteria.namespaceSelector ?? {})
  const objectSelector = selectorFromLabelSelector(criteria.objectSelector ?? {})
  const { resourceRules = [], excludeResourceRules = [] } = criteria
  const equivalents = criteria.matchPolicy === 'Exact' ? undefined : (kind: Kind) => equivalentKinds(deps.kinds, kind)
  return request => {
    const as = resourceRules.length === 0 ? request.kind : matchRules(resourceRules, request, equivalents)
    if (as === undefined || !matchesObject(objectSelector, request)) return undefined
    if (!inNamespace(namespaceSelector, request, deps)) return undefined
    return matchRules(excludeResourceRules, request, equivalents) === undefined ? as : undefined
  }
}

const inNamespace = (selector: Selector, request: AdmissionAttributes, { namespaces }: MatchDeps) =>
  matchesNamespace(selector, request, namespaces)

const named = ({ resourceNames = [] }: NamedRule, { name }: AdmissionAttributes) =>
  resourceNames.length === 0 || resourceNames.includes(name)

function matchRules(
  rules: readonly NamedRule[],
  request: AdmissionAttributes,
  equivalents: ((kind: Kind) => readonly Kind[]) | undefined,
): Kind | undefined {
  const { kind } = request
  if (rules.some(rule => matchesRule(rule, kind, request) && named(rule, request))) return kind
  if (equivalents === undefined || rules.length === 0) return undefined
  const others = equivalents(kind)
  for (const rule of rules) {
    const found = others.find(other => matchesRule(rule, other, request) && named(rule, request))
    if (found !== undefined) return found
  }
  return undefined
}
