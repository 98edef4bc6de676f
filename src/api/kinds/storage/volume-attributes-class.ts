import type { VolumeAttributesClass as Type } from '../../generated/types/storage-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { volumeAttributesClassRules } from './volume-attributes-class.validate.ts'

/** storage/v1 VolumeAttributesClass. */
export type VolumeAttributesClass = Type

export const VolumeAttributesClass = defineKind<VolumeAttributesClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttributesClass',
  plural: 'volumeattributesclasses',
  singular: 'volumeattributesclass',
  shortNames: ['vac'],
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.storage.v1.VolumeAttributesClass',
  rules: volumeAttributesClassRules,
  columns: [nameColumn, text('DriverName', ({ driverName }) => driverName ?? ''), ageColumn],
})
