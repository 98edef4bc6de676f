import type { ResourceClaimTemplate as Type } from '../../generated/types/resource-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { defaultDeviceClaim } from './claim-spec.defaults.ts'
import { loadDeviceSelectors } from './load-selectors.ts'
import { resourceClaimTemplateRules } from './resource-claim.validate.ts'

/** resource/v1 ResourceClaimTemplate. */
export type ResourceClaimTemplate = Type

export const ResourceClaimTemplate = defineKind<ResourceClaimTemplate>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaimTemplate',
  plural: 'resourceclaimtemplates',
  singular: 'resourceclaimtemplate',
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.resource.v1.ResourceClaimTemplate',
  defaults: ({ spec }) => defaultDeviceClaim(spec?.spec?.devices),
  load: loadDeviceSelectors,
  rules: resourceClaimTemplateRules,
  columns: [nameColumn, ageColumn],
})
