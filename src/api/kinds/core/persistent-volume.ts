import type { PersistentVolume as Type } from '../../generated/types/core-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { rfc3339 } from '../../machinery/time.ts'
import { ageColumn, nameColumn, text, wide } from '../columns.ts'
import { accessModes, storageClass } from './access-modes.ts'
import { defaultPersistentSource } from './persistent-volume.defaults.ts'
import { persistentVolumeRules } from './persistent-volume.validate.ts'
import { persistentVolumeWarnings } from './persistent-volume.warnings.ts'
import { canonicalResources } from './resources.ts'

/** core/v1 PersistentVolume. */
export type PersistentVolume = Type

export const PersistentVolume = defineKind<PersistentVolume>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  singular: 'persistentvolume',
  shortNames: ['pv'],
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.core.v1.PersistentVolume',
  status: true,
  defaults(volume) {
    volume.status ??= {}
    volume.status.phase ||= 'Pending'
    if (!volume.spec) return
    volume.spec.persistentVolumeReclaimPolicy ||= 'Retain'
    volume.spec.volumeMode ??= 'Filesystem'
    canonicalResources(volume.spec.capacity)
    defaultPersistentSource(volume.spec)
  },
  prepareCreate(volume) {
    const created = volume.metadata?.creationTimestamp
    volume.status = { phase: 'Pending', ...(created && { lastPhaseTransitionTime: created }) }
  },
  prepareUpdate(volume, old, { subresource, now }) {
    if (subresource !== 'status') return
    const status = (volume.status ??= {})
    const before = old.status?.lastPhaseTransitionTime
    const after = status.lastPhaseTransitionTime
    if (status.phase !== old.status?.phase) {
      if (after === undefined || after === before) status.lastPhaseTransitionTime = rfc3339(now)
    } else if (after === undefined && before !== undefined) status.lastPhaseTransitionTime = before
  },
  rules: persistentVolumeRules,
  warnings: persistentVolumeWarnings,
  columns: [
    nameColumn,
    text('Capacity', ({ spec }) => spec?.capacity?.storage ?? '0'),
    text('Access Modes', ({ spec }) => accessModes(spec?.accessModes)),
    text('Reclaim Policy', ({ spec }) => spec?.persistentVolumeReclaimPolicy ?? ''),
    text('Status', ({ metadata, status }) => (metadata?.deletionTimestamp ? 'Terminating' : (status?.phase ?? ''))),
    text('Claim', ({ spec }) => (spec?.claimRef ? `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}` : '')),
    text('StorageClass', ({ metadata, spec }) => storageClass(metadata, spec)),
    text('VolumeAttributesClass', ({ spec }) => spec?.volumeAttributesClassName ?? '<unset>'),
    text('Reason', ({ status }) => status?.reason ?? ''),
    ageColumn,
    wide('VolumeMode', ({ spec }) => spec?.volumeMode ?? '<unset>'),
  ],
})
