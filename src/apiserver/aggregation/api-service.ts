/** What the parts of aggregation read out of an APIService (apiregistration.k8s.io/v1). */
import type { APIService } from '../../api/generated/types/apiregistration-v1.ts'

export const API_SERVICES = 'apiregistration.k8s.io/v1/apiservices'

/** The group of APIServices themselves is never another server's. */
export const OWN_GROUP = 'apiregistration.k8s.io'

export type Condition = NonNullable<NonNullable<APIService['status']>['conditions']>[number]

/** `v1.apps`, `v1.` for the core. */
export const apiServiceName = (group: string, version: string) => `${version}.${group}`

/** Where a version of a group is served: `/apis/apps/v1`, `/api/v1`. */
export const groupVersionPath = (group: string, version: string) =>
  group ? `/apis/${group}/${version}` : `/api/${version}`

/** Where its group is and, below that, its version; the core has no groups. */
export function pathsOf({ spec }: APIService): readonly string[] {
  const { group = '', version = '' } = spec ?? {}
  return [group ? `/apis/${group}` : '/api', groupVersionPath(group, version)]
}

const availableOf = (object: APIService) => object.status?.conditions?.find(({ type }) => type === 'Available')

/** Whether requests may be handed on. */
export const isAvailable = (object: APIService) => availableOf(object)?.status === 'True'

/**
 * The conditions with this one in its place; undefined when they say so already. The time of transition stays where
 * only the words change.
 */
export function withCondition(object: APIService, next: Omit<Condition, 'lastTransitionTime'>, now: string) {
  const known = availableOf(object)
  if (known && known.status === next.status && known.reason === next.reason && known.message === next.message)
    return undefined
  const since = known?.status === next.status ? known.lastTransitionTime : undefined
  const changed: Condition = { ...next, lastTransitionTime: since ?? now }
  const all = object.status?.conditions ?? []
  return known ? all.map(each => (each.type === 'Available' ? changed : each)) : [...all, changed]
}
