import type { ResourceClaim as Type } from '../../generated/types/resource-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defaultDeviceClaim } from './claim-spec.defaults.ts'
import { loadDeviceSelectors } from './load-selectors.ts'
import { resourceClaimRules } from './resource-claim.validate.ts'

/** resource/v1 ResourceClaim. */
export type ResourceClaim = Type

function state({ metadata, status }: ResourceClaim): string {
  const words = metadata?.deletionTimestamp ? ['deleted'] : []
  if (status?.allocation) words.push('allocated', ...(status.reservedFor?.length ? ['reserved'] : []))
  else if (!words.length) words.push('pending')
  return words.join(',')
}

export const ResourceClaim = defineKind<ResourceClaim>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaim',
  plural: 'resourceclaims',
  singular: 'resourceclaim',
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.resource.v1.ResourceClaim',
  status: true,
  defaults: ({ spec }) => defaultDeviceClaim(spec?.devices),
  load: loadDeviceSelectors,
  rules: resourceClaimRules,
  columns: [nameColumn, text('State', state), ageColumn],
})
