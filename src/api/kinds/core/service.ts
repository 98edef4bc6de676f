import type { Service as Type } from '../../generated/types/core-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ingressWarnings } from '../ip-warnings.ts'
import { defaultService, prepareService, prepareServiceUpdate } from './service.strategy.ts'
import { serviceRules } from './service.validate.ts'
import { serviceWarnings } from './service.warnings.ts'
import { serviceColumns } from './service-columns.ts'

/** core/v1 Service. */
export type Service = Type

export const Service = defineKind<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  singular: 'service',
  shortNames: ['svc'],
  categories: ['all'],
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.core.v1.Service',
  status: true,
  subresources: [
    {
      name: 'proxy',
      verbs: ['create', 'delete', 'get', 'patch', 'update'],
      responseKind: { group: '', version: 'v1', kind: 'ServiceProxyOptions' },
    },
  ],
  nameFormat: 'dns-label',
  defaults: defaultService,
  prepareCreate: prepareService,
  prepareUpdate: prepareServiceUpdate,
  selectable: {
    'spec.clusterIP': ({ spec }) => spec?.clusterIP ?? '',
    'spec.type': ({ spec }) => spec?.type ?? '',
  },
  rules: serviceRules,
  warnings: serviceWarnings,
  statusWarnings: ({ status }) => ingressWarnings(status?.loadBalancer?.ingress),
  columns: serviceColumns,
})
