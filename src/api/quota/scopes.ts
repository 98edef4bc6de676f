/** Scopes of quotas: which objects one is about (API doc: core/v1 ScopedResourceSelectorRequirement). */
import type { PersistentVolumeClaim, Pod, PodAffinityTerm, ResourceQuota } from '../generated/types/core-v1.ts'
import { qosClass } from '../kinds/core/resources.ts'
import type { KubeObject } from '../machinery/object.ts'
import { isTimeLimited } from './pod-resources.ts'

export interface ScopeSelector {
  readonly scopeName: string
  readonly operator: string
  readonly values?: readonly string[]
}

/** Whether an object is in a scope. */
export type InScope = (object: KubeObject, selector: ScopeSelector) => boolean

/** The scopes of a quota: all of them must hold. */
export const scopesOf = ({ spec }: ResourceQuota): ScopeSelector[] => [
  ...(spec?.scopes ?? []).map(scopeName => ({ scopeName, operator: 'Exists' })),
  ...(spec?.scopeSelector?.matchExpressions ?? []),
]

/** As label selectors have it: what is absent is in no list. */
function selects({ operator, values = [] }: ScopeSelector, name: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return name !== undefined && values.includes(name)
    case 'NotIn':
      return name === undefined || !values.includes(name)
    case 'Exists':
      return name !== undefined
    default:
      return operator === 'DoesNotExist' && name === undefined
  }
}

const crosses = (term: PodAffinityTerm | undefined) =>
  Boolean(term?.namespaces?.length) || term?.namespaceSelector !== undefined

function reachesAcross({ spec }: Pod): boolean {
  const { podAffinity, podAntiAffinity } = spec?.affinity ?? {}
  return [podAffinity, podAntiAffinity].some(
    affinity =>
      affinity?.requiredDuringSchedulingIgnoredDuringExecution?.some(crosses) ||
      affinity?.preferredDuringSchedulingIgnoredDuringExecution?.some(each => crosses(each.podAffinityTerm)),
  )
}

/** Scopes of pods. */
export function podInScope(object: KubeObject, selector: ScopeSelector): boolean {
  const pod = object as Pod
  switch (selector.scopeName) {
    case 'Terminating':
      return isTimeLimited(pod)
    case 'NotTerminating':
      return !isTimeLimited(pod)
    case 'BestEffort':
      return qosClass(pod) === 'BestEffort'
    case 'NotBestEffort':
      return qosClass(pod) !== 'BestEffort'
    case 'PriorityClass':
      return selects(selector, pod.spec?.priorityClassName || undefined)
    case 'CrossNamespacePodAffinity':
      return reachesAcross(pod)
    default:
      return false
  }
}

/** The classes that a claim has, wants, or is on its way to. */
export function attributeClasses({ spec, status }: PersistentVolumeClaim): string[] {
  const names = [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ]
  return [...new Set(names.filter((name): name is string => Boolean(name)))]
}

/** Scopes of persistent volume claims. */
export function claimInScope(object: KubeObject, selector: ScopeSelector): boolean {
  if (selector.scopeName !== 'VolumeAttributesClass') return false
  const names = attributeClasses(object as PersistentVolumeClaim)
  return names.length ? names.some(name => selects(selector, name)) : selects(selector, undefined)
}
