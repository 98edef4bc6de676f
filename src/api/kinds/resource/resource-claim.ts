import type { ResourceClaim as Type } from '../../generated/types/resource-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'

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
  defaults({ spec }) {
    for (const request of spec?.devices?.requests ?? []) {
      if (!request.exactly) continue
      request.exactly.allocationMode ||= 'ExactCount'
      if (request.exactly.allocationMode === 'ExactCount') request.exactly.count ??= 1
    }
  },
  columns: [nameColumn, text('State', state), ageColumn],
})
