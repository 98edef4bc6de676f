import type { ResourceQuota as Type } from '../../generated/types/core-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { resourceQuotaRules } from './resource-quota.validate.ts'
import { canonicalResources } from './resources.ts'

/** core/v1 ResourceQuota. */
export type ResourceQuota = Type

/** `name: used/hard` of the limits, or of everything else. */
const usage = ({ status }: ResourceQuota, limits: boolean) =>
  Object.keys(status?.hard ?? {})
    .sort()
    .filter(name => name.startsWith('limits.') === limits)
    .map(name => `${name}: ${status?.used?.[name] ?? '0'}/${status?.hard?.[name]}`)
    .join(', ')

export const ResourceQuota = defineKind<ResourceQuota>({
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  singular: 'resourcequota',
  shortNames: ['quota'],
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.core.v1.ResourceQuota',
  status: true,
  defaults({ spec, status }) {
    canonicalResources(spec?.hard)
    canonicalResources(status?.hard)
    canonicalResources(status?.used)
  },
  rules: resourceQuotaRules,
  columns: [
    nameColumn,
    text('Request', quota => usage(quota, false)),
    text('Limit', quota => usage(quota, true)),
    ageColumn,
  ],
})
