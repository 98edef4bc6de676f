/** What the status of a namespace says of its deletion (as upstream's namespace/deletion). */
import type { NamespaceCondition } from '../../api/generated/types/core-v1.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import type { Resource } from '../../client/resource.ts'
import { type ConditionState, withCondition } from '../conditions.ts'

/** Objects that are still there, by kind. */
export type Remains = Map<Resource, readonly KubeObject[]>

/** As upstream writes it: the core group leaves its dot. */
const nameOf = (resource: Resource) => `${resource.plural}.${resource.group}`

/** All five conditions. */
export function conditionsOf(
  conditions: readonly NamespaceCondition[] | undefined,
  remains: Remains,
  now: number,
): NamespaceCondition[] {
  let result = [...(conditions ?? [])]
  for (const state of statesOf(remains)) {
    const old = result.find(each => each.type === state.type)
    const isSame = old?.status === state.status && old.reason === state.reason && old.message === state.message
    if (!isSame) result = withCondition(result, state, now)
  }
  return result
}

function statesOf(remains: Remains): ConditionState[] {
  return [
    {
      type: 'NamespaceDeletionDiscoveryFailure',
      status: 'False',
      reason: 'ResourcesDiscovered',
      message: 'All resources successfully discovered',
    },
    {
      type: 'NamespaceDeletionGroupVersionParsingFailure',
      status: 'False',
      reason: 'ParsedGroupVersions',
      message: 'All legacy kube types successfully parsed',
    },
    {
      type: 'NamespaceDeletionContentFailure',
      status: 'False',
      reason: 'ContentDeleted',
      message: 'All content successfully deleted, may be waiting on finalization',
    },
    remaining(remains),
    finalizing(remains),
  ]
}

function remaining(remains: Remains): ConditionState {
  const type = 'NamespaceContentRemaining'
  if (remains.size === 0) {
    return { type, status: 'False', reason: 'ContentRemoved', message: 'All content successfully removed' }
  }
  const parts = [...remains]
    .map(([resource, left]) => `${nameOf(resource)} has ${left.length} resource instances`)
    .sort()
  const message = `Some resources are remaining: ${parts.join(', ')}`
  return { type, status: 'True', reason: 'SomeResourcesRemain', message }
}

function finalizing(remains: Remains): ConditionState {
  const type = 'NamespaceFinalizersRemaining'
  const counts = new Map<string, number>()
  for (const left of remains.values()) {
    for (const object of left) {
      for (const name of object.metadata?.finalizers ?? []) counts.set(name, (counts.get(name) ?? 0) + 1)
    }
  }
  if (counts.size === 0) {
    const message = 'All content-preserving finalizers finished'
    return { type, status: 'False', reason: 'ContentHasNoFinalizers', message }
  }
  const parts = [...counts].map(([name, count]) => `${name} in ${count} resource instances`).sort()
  const message = `Some content in the namespace has finalizers remaining: ${parts.join(', ')}`
  return { type, status: 'True', reason: 'SomeFinalizersRemain', message }
}
