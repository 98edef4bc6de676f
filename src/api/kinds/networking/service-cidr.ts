import type { ServiceCIDR as Type } from '../../generated/types/networking-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { serviceCidrRules } from './service-cidr.validate.ts'

/** networking/v1 ServiceCIDR. */
export type ServiceCIDR = Type

export const ServiceCIDR = defineKind<ServiceCIDR>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  singular: 'servicecidr',
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.networking.v1.ServiceCIDR',
  status: true,
  rules: serviceCidrRules,
  columns: [nameColumn, text('CIDRs', ({ spec }) => spec?.cidrs?.join(',') ?? ''), ageColumn],
})
