import type { APIService as Type } from '../../generated/types/apiregistration-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { apiServiceRules } from './api-service.validate.ts'

/** apiregistration/v1 APIService. */
export type APIService = Type

export const APIService = defineKind<APIService>({
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  singular: 'apiservice',
  categories: ['api-extensions'],
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService',
  status: true,
  nameFormat: 'path',
  defaults({ spec }) {
    if (spec?.service) spec.service.port ??= 443
  },
  rules: apiServiceRules,
  columns: [
    nameColumn,
    text('Service', ({ spec }) => (spec?.service ? `${spec.service.namespace}/${spec.service.name}` : 'Local')),
    text('Available', ({ status }) => {
      const available = status?.conditions?.find(({ type }) => type === 'Available')
      if (!available) return 'Unknown'
      return available.status === 'True' ? 'True' : `${available.status} (${available.reason ?? ''})`
    }),
    ageColumn,
  ],
})
