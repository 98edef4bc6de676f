/** Terms of pod affinity, compiled (API doc: core/v1 PodAffinityTerm). */
import type { PodAffinityTerm } from '../api/generated/types/core-v1.ts'
import { type LabelSelector, selectorFromLabelSelector } from '../api/machinery/label-selector.ts'
import type { PodInfo } from './pod-info.ts'

type NamespaceLabels = (namespace: string) => Readonly<Record<string, string>> | undefined

export interface CompiledTerm {
  /** The same for the same term. */
  readonly id: string
  readonly topologyKey: string
  matches(pod: PodInfo): boolean
}

interface MatchKeys {
  readonly matchLabelKeys?: readonly string[]
  readonly mismatchLabelKeys?: readonly string[]
}

/** The selector with what `matchLabelKeys` takes from the pod's own labels (KEP-3633, KEP-3243). */
export function withLabelKeys(
  selector: LabelSelector | undefined,
  { matchLabelKeys = [], mismatchLabelKeys = [] }: MatchKeys,
  labels: Readonly<Record<string, string>>,
): LabelSelector | undefined {
  if (!selector) return undefined
  const own = (keys: readonly string[], operator: string) =>
    keys.flatMap(key => (labels[key] === undefined ? [] : [{ key, operator, values: [labels[key]] }]))
  const added = [...own(matchLabelKeys, 'In'), ...own(mismatchLabelKeys, 'NotIn')]
  if (added.length === 0) return selector
  return { ...selector, matchExpressions: [...(selector.matchExpressions ?? []), ...added] } as LabelSelector
}

/** Compiles a term of `pod`. Without namespaces and namespace selector it means the pod's own namespace. */
export function compileTerm(term: PodAffinityTerm, pod: PodInfo, namespaceLabels: NamespaceLabels): CompiledTerm {
  const labelSelector = withLabelKeys(term.labelSelector, term, pod.labels)
  const selector = selectorFromLabelSelector(labelSelector)
  const names = term.namespaces?.length || term.namespaceSelector ? (term.namespaces ?? []) : [pod.namespace]
  const namespaces = new Set(names)
  const byLabels = term.namespaceSelector ? selectorFromLabelSelector(term.namespaceSelector) : undefined
  return {
    id: JSON.stringify([term.topologyKey, [...namespaces].sort(), term.namespaceSelector, labelSelector]),
    topologyKey: term.topologyKey,
    matches: other =>
      selector.matches(other.labels) &&
      (namespaces.has(other.namespace) || (byLabels?.matches(namespaceLabels(other.namespace)) ?? false)),
  }
}
