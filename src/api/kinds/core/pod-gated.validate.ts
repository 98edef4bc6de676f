/** What may change about where a pod runs while scheduling gates hold it back (KEP-3838): it gets narrower. */
import type { NodeSelectorRequirement, NodeSelectorTerm, PodSpec } from '../../generated/types/core-v1.ts'
import { invalid } from '../../machinery/field-error.ts'
import { type Errors, sameValue } from '../rules.ts'

type Requirements = readonly NodeSelectorRequirement[] | undefined

const hasOnlyAdditions = (next: Requirements = [], old: Requirements = []) =>
  next.length >= old.length && sameValue(next.slice(0, old.length), old)

/** A term keeps what it requires; one that requires nothing matches nothing, and stays so. */
function isNarrower(next: NodeSelectorTerm, old: NodeSelectorTerm): boolean {
  const wasEmpty = !old.matchExpressions?.length && !old.matchFields?.length
  if (wasEmpty) return !next.matchExpressions?.length && !next.matchFields?.length
  return (
    hasOnlyAdditions(next.matchExpressions, old.matchExpressions) && hasOnlyAdditions(next.matchFields, old.matchFields)
  )
}

const shownRequirements = (list: Requirements) =>
  list?.map(({ key = '', operator, values }) => ({ Key: key, Operator: operator ?? '', Values: values ?? null })) ??
  null

/** As upstream's messages show a term. */
const shownTerm = ({ matchExpressions, matchFields }: NodeSelectorTerm) => ({
  MatchExpressions: shownRequirements(matchExpressions),
  MatchFields: shownRequirements(matchFields),
})

const termsOf = ({ affinity }: PodSpec) =>
  affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms

function checkNodeAffinity(next: PodSpec, old: PodSpec, errors: Errors): void {
  const before = termsOf(old) ?? []
  const after = termsOf(next)
  const path = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms'
  if (before.length > 0 && before.length !== (after?.length ?? 0)) {
    const what = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed'
    errors.push(invalid(path, after?.map(shownTerm) ?? null, what))
    return
  }
  for (const [index, term] of before.entries()) {
    if (isNarrower(after![index]!, term)) continue
    const what = 'only additions are allowed (no mutations or deletions)'
    errors.push(invalid(`${path}[${index}]`, shownTerm(after![index]!), what))
  }
}

/** Checks the change of a pod that has scheduling gates. */
export function checkGatedUpdate(next: PodSpec, old: PodSpec, errors: Errors): void {
  const kept = next.nodeSelector ?? {}
  if (Object.entries(old.nodeSelector ?? {}).some(([key, value]) => kept[key] !== value)) {
    const what = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)'
    errors.push(invalid('spec.nodeSelector', next.nodeSelector, what))
  }
  checkNodeAffinity(next, old, errors)
}

/** The affinity of `next` with the node affinity of `old`, where that is all that may differ. */
export function withNodeAffinity(next: PodSpec['affinity'], old: PodSpec['affinity']): PodSpec['affinity'] {
  const nodeAffinity = old?.nodeAffinity
  if (!next) return nodeAffinity ? { nodeAffinity } : next
  const { nodeAffinity: _, ...others } = next
  return nodeAffinity ? { ...others, nodeAffinity } : others
}
