/** How a quota counts the objects of a kind. Pure: the API server charges by it, and counts again by it. */
import type { ResourceQuota } from '../generated/types/core-v1.ts'
import type { ResourceList } from '../kinds/core/resources.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { Amounts } from './amounts.ts'
import { type ScopeSelector, scopesOf } from './scopes.ts'

/** A write, as far as quotas look at it. */
export interface Write {
  readonly operation: string
  readonly subresource: string
  readonly object: KubeObject | undefined
  readonly old: KubeObject | undefined
}

export interface Evaluator {
  /** Whether a write can change the usage, so that it must be charged. */
  charges(write: Write): boolean
  /** Those of the names of a quota that this kind counts for. */
  matching(names: readonly string[]): string[]
  /** What one object takes. `now` in ms since the epoch. */
  usage(object: KubeObject, now: number): ResourceList
  inScope(object: KubeObject, selector: ScopeSelector): boolean
  /** What an object must say where a quota limits `names`: the sentence of what it does not say. */
  missing?(object: KubeObject, names: readonly string[]): string | undefined
}

/** Whether a quota is about an object: it limits something that it counts for, and its scopes hold. */
export function isAbout(quota: ResourceQuota, hard: Amounts, evaluator: Evaluator, object: KubeObject): boolean {
  if (!evaluator.matching(Object.keys(hard)).length) return false
  return scopesOf(quota).every(selector => evaluator.inScope(object, selector))
}

/** The names of a quota for the number of objects of a kind, e.g. `count/deployments.apps`. */
export const countName = (group: string, plural: string) => `count/${plural}${group && `.${group}`}`
