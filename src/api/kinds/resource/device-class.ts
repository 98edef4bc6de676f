import type { DeviceClass as Type } from '../../generated/types/resource-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { deviceClassRules } from './device-class.validate.ts'
import { loadDeviceSelectors } from './load-selectors.ts'

/** resource/v1 DeviceClass. */
export type DeviceClass = Type

export const DeviceClass = defineKind<DeviceClass>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'DeviceClass',
  plural: 'deviceclasses',
  singular: 'deviceclass',
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.resource.v1.DeviceClass',
  generation: true,
  nameFormat: 'long-name',
  load: loadDeviceSelectors,
  rules: deviceClassRules,
  columns: [nameColumn, ageColumn],
})
