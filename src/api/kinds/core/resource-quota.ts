import type { ResourceQuota as Type } from '../../generated/types/core-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { compareQuantities, quantityProblem } from '../../machinery/quantity.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { resourceQuotaRules } from './resource-quota.validate.ts'
import { canonicalResources, type ResourceList } from './resources.ts'

/** core/v1 ResourceQuota. */
export type ResourceQuota = Type

/** `name: used/hard` of the limits, or of everything else. */
const usage = ({ status }: ResourceQuota, limits: boolean) =>
  Object.keys(status?.hard ?? {})
    .sort()
    .filter(name => name.startsWith('limits.') === limits)
    .map(name => `${name}: ${status?.used?.[name] ?? '0'}/${status?.hard?.[name]}`)
    .join(', ')

const LIMITED = ['cpu', 'memory', 'ephemeral-storage']

/** A warning where less may be used than asked for. */
function tooSmallLimit(name: string, hard: ResourceList): string[] {
  const bare = hard[`requests.${name}`] === undefined && name !== 'ephemeral-storage'
  const asked = bare ? name : `requests.${name}`
  const [request, limit] = [hard[asked], hard[`limits.${name}`]]
  if (request === undefined || limit === undefined) return []
  if (quantityProblem(request) !== undefined || quantityProblem(limit) !== undefined) return []
  if (compareQuantities(request, limit) <= 0) return []
  return [`ResourceQuota ${asked} (${request}) should be less than limits.${name} (${limit})`]
}

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
  warnings: ({ spec }, old) => (old ? [] : LIMITED.flatMap(name => tooSmallLimit(name, spec?.hard ?? {}))),
  columns: [
    nameColumn,
    text('Request', quota => usage(quota, false)),
    text('Limit', quota => usage(quota, true)),
    ageColumn,
  ],
})
