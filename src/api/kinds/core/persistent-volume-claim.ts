import type { PersistentVolumeClaim as Type } from '../../generated/types/core-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text, wide } from '../columns.ts'
import { accessModes, storageClass } from './access-modes.ts'
import { alignSources } from './data-source.ts'
import { persistentVolumeClaimWarnings } from './persistent-volume.warnings.ts'
import { persistentVolumeClaimRules } from './persistent-volume-claim.validate.ts'
import { canonicalResources } from './resources.ts'

/** core/v1 PersistentVolumeClaim. */
export type PersistentVolumeClaim = Type

export const PersistentVolumeClaim = defineKind<PersistentVolumeClaim>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  singular: 'persistentvolumeclaim',
  shortNames: ['pvc'],
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.core.v1.PersistentVolumeClaim',
  status: true,
  defaults(claim) {
    claim.status ??= {}
    claim.status.phase ||= 'Pending'
    canonicalResources(claim.status.capacity)
    canonicalResources(claim.status.allocatedResources)
    if (!claim.spec) return
    claim.spec.volumeMode ??= 'Filesystem'
    canonicalResources(claim.spec.resources?.requests)
    canonicalResources(claim.spec.resources?.limits)
  },
  prepareCreate(claim) {
    claim.status = { phase: 'Pending' }
    alignSources(claim.spec, undefined)
  },
  prepareUpdate(claim, old, { subresource }) {
    if (subresource !== 'status') alignSources(claim.spec, old.spec)
  },
  rules: persistentVolumeClaimRules,
  warnings: persistentVolumeClaimWarnings,
  columns: [
    nameColumn,
    text('Status', ({ metadata, status }) => (metadata?.deletionTimestamp ? 'Terminating' : (status?.phase ?? ''))),
    text('Volume', ({ spec }) => spec?.volumeName ?? ''),
    text('Capacity', ({ spec, status }) => (spec?.volumeName ? (status?.capacity?.storage ?? '0') : '')),
    text('Access Modes', ({ spec, status }) => (spec?.volumeName ? accessModes(status?.accessModes) : '')),
    text('StorageClass', ({ metadata, spec }) => storageClass(metadata, spec)),
    text('VolumeAttributesClass', ({ spec }) => spec?.volumeAttributesClassName ?? '<unset>'),
    ageColumn,
    wide('VolumeMode', ({ spec }) => spec?.volumeMode ?? '<unset>'),
  ],
})
