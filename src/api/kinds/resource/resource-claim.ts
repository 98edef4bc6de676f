import type { ResourceClaim as Type } from '../../generated/types/resource-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defaultDeviceClaim } from './claim-spec.defaults.ts'
import { loadDeviceSelectors } from './load-selectors.ts'
import { deviceId, resourceClaimRules } from './resource-claim.validate.ts'

/** resource/v1 ResourceClaim. */
export type ResourceClaim = Type

function state({ metadata, status }: ResourceClaim): string {
  const words = metadata?.deletionTimestamp ? ['deleted'] : []
  if (status?.allocation) words.push('allocated', ...(status.reservedFor?.length ? ['reserved'] : []))
  else if (!words.length) words.push('pending')
  return words.join(',')
}

/** What is told of a device goes with its allocation. */
function dropDeallocated({ status }: ResourceClaim, { status: old }: ResourceClaim): void {
  if (!status?.devices) return
  const allocated = (one: typeof status | undefined) => new Set(one?.allocation?.devices?.results?.map(deviceId))
  const [now, before] = [allocated(status), allocated(old)]
  const kept = status.devices.filter(device => now.has(deviceId(device)) || !before.has(deviceId(device)))
  if (kept.length) status.devices = kept
  else delete status.devices
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
  prepareUpdate(claim, old, { subresource }) {
    if (subresource === 'status') dropDeallocated(claim, old)
  },
  load: loadDeviceSelectors,
  rules: resourceClaimRules,
  columns: [nameColumn, text('State', state), ageColumn],
})
