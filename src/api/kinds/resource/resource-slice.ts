import type { ResourceSlice as Type } from '../../generated/types/resource-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { rfc3339 } from '../../machinery/time.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { raiseGeneration } from '../generation.ts'
import { resourceSliceRules } from './resource-slice.validate.ts'

/** resource/v1 ResourceSlice. */
export type ResourceSlice = Type

/** What devices take of a node's resources is behind a gate that is off. */
function dropGated({ spec }: ResourceSlice): void {
  for (const device of spec?.devices ?? []) delete device.nodeAllocatableResourceMappings
}

export const ResourceSlice = defineKind<ResourceSlice>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceSlice',
  plural: 'resourceslices',
  singular: 'resourceslice',
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.resource.v1.ResourceSlice',
  generation: true,
  defaults({ spec }, now) {
    if (now === undefined) return
    for (const { taints } of spec?.devices ?? []) {
      for (const taint of taints ?? []) taint.timeAdded ??= rfc3339(now)
    }
  },
  prepareCreate: dropGated,
  prepareUpdate(slice, old) {
    const used = old.spec?.devices?.some(({ nodeAllocatableResourceMappings: mappings }) => mappings)
    if (used) return
    const vain = slice.spec?.devices?.some(({ nodeAllocatableResourceMappings: mappings }) => mappings)
    dropGated(slice)
    // What is said in vain counts as a change.
    if (vain) raiseGeneration(slice, old)
  },
  rules: resourceSliceRules,
  selectable: {
    'spec.nodeName': ({ spec }) => spec?.nodeName ?? '',
    'spec.driver': ({ spec }) => spec?.driver ?? '',
  },
  columns: [
    nameColumn,
    text('Node', ({ spec }) => spec?.nodeName ?? ''),
    text('Driver', ({ spec }) => spec?.driver ?? ''),
    text('Pool', ({ spec }) => spec?.pool?.name ?? ''),
    ageColumn,
  ],
})
