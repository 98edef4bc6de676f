import type { ComponentStatus as Type } from '../../generated/types/core-v1.ts'
import { defineKind } from '../../machinery/kind.ts'
import { nameColumn, text } from '../columns.ts'

/** core/v1 ComponentStatus. */
export type ComponentStatus = Type

const condition = (status: ComponentStatus) => status.conditions?.find(({ type }) => type === 'Healthy')

export const ComponentStatus = defineKind<ComponentStatus>({
  group: '',
  version: 'v1',
  kind: 'ComponentStatus',
  plural: 'componentstatuses',
  singular: 'componentstatus',
  shortNames: ['cs'],
  namespaced: false,
  verbs: ['get', 'list'],
  schema: 'io.k8s.api.core.v1.ComponentStatus',
  deprecation: 'v1 ComponentStatus is deprecated in v1.19+',
  virtual: true,
  columns: [
    nameColumn,
    text('Status', status => {
      const healthy = condition(status)
      return healthy ? (healthy.status === 'True' ? 'Healthy' : 'Unhealthy') : 'Unknown'
    }),
    text('Message', status => condition(status)?.message ?? ''),
    text('Error', status => condition(status)?.error ?? ''),
  ],
})
