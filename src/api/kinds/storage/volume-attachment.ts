import type { VolumeAttachment as Type } from '../../generated/types/storage-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, flag, nameColumn, text } from '../columns.ts'
import { defaultPersistentSource } from '../core/persistent-volume.defaults.ts'
import { canonicalResources } from '../core/resources.ts'
import { volumeAttachmentRules } from './volume-attachment.validate.ts'

/** storage/v1 VolumeAttachment. */
export type VolumeAttachment = Type

export const VolumeAttachment = defineKind<VolumeAttachment>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
  singular: 'volumeattachment',
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.storage.v1.VolumeAttachment',
  status: true,
  defaults({ spec }) {
    const inline = spec?.source?.inlineVolumeSpec
    if (!inline) return
    canonicalResources(inline.capacity)
    defaultPersistentSource(inline)
  },
  rules: volumeAttachmentRules,
  columns: [
    nameColumn,
    { ...text<VolumeAttachment>('Attacher', ({ spec }) => spec?.attacher ?? ''), format: 'name' },
    text('PV', ({ spec }) => spec?.source?.persistentVolumeName ?? ''),
    text('Node', ({ spec }) => spec?.nodeName ?? ''),
    flag('Attached', ({ status }) => status?.attached),
    ageColumn,
  ],
})
