/** Taints, tolerations and node selectors: which pods a node may have. */
import type { Node, NodeSelectorTerm, PodSpec, Taint, Toleration } from '../generated/types/core-v1.ts'

const INT = /^-?(0|[1-9]\d*)$/

/** Whether a toleration covers a taint (API doc: core/v1 Toleration). */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false
  if (toleration.key && toleration.key !== taint.key) return false
  const { operator = 'Equal', value = '' } = toleration
  if (operator === 'Exists') return true
  if (!toleration.key) return false
  if (operator === 'Equal') return value === (taint.value ?? '')
  if (!INT.test(value) || !INT.test(taint.value ?? '')) return false
  return operator === 'Gt' ? BigInt(taint.value!) > BigInt(value) : BigInt(taint.value!) < BigInt(value)
}

export const toleratesAny = (tolerations: readonly Toleration[], taint: Taint): boolean =>
  tolerations.some(toleration => tolerates(toleration, taint))

type Requirement = NonNullable<NodeSelectorTerm['matchExpressions']>[number]

function holds({ key, operator, values = [] }: Requirement, labels: Readonly<Record<string, string>>): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
    case 'Lt': {
      if (value === undefined || !INT.test(value) || !INT.test(values[0] ?? '')) return false
      return operator === 'Gt' ? BigInt(value) > BigInt(values[0]!) : BigInt(value) < BigInt(values[0]!)
    }
    default:
      return false
  }
}

/** Whether a node is selected by one term; an empty term selects none (API doc: core/v1 NodeSelectorTerm). */
export function matchesTerm(term: NodeSelectorTerm, node: Node): boolean {
  const { matchExpressions = [], matchFields = [] } = term
  if (matchExpressions.length === 0 && matchFields.length === 0) return false
  const labels = node.metadata?.labels ?? {}
  const fields = { 'metadata.name': node.metadata?.name ?? '' }
  return matchExpressions.every(each => holds(each, labels)) && matchFields.every(each => holds(each, fields))
}

/** What is said of a node that is not selected. */
export const NOT_SELECTED = "node(s) didn't match Pod's node affinity/selector"

/** Whether a node has what `nodeSelector` and the required node affinity of a pod ask for. */
export function isSelected(spec: PodSpec | undefined, node: Node): boolean {
  const labels = node.metadata?.labels ?? {}
  for (const [key, value] of Object.entries(spec?.nodeSelector ?? {})) if (labels[key] !== value) return false
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return !required || required.nodeSelectorTerms.some(term => matchesTerm(term, node))
}
