import type { PersistentVolumeClaim as Type } from '../../generated/types/core-v1.ts'
import { forbidden, required } from '../../machinery/field-error.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text, wide } from '../columns.ts'
import { check, onObject, sameValue } from '../rules.ts'
import { accessModes, storageClass } from './access-modes.ts'
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
    // Upstream keeps the two names of the source alike.
    if (claim.spec.dataSource && !claim.spec.dataSourceRef) claim.spec.dataSourceRef = { ...claim.spec.dataSource }
  },
  prepareCreate(claim) {
    claim.status = { phase: 'Pending' }
  },
  rules: [
    onObject(
      check<PersistentVolumeClaim>(({ spec, status }, errors, old) => {
        if (!spec?.accessModes?.length) errors.push(required('spec.accessModes', 'at least 1 access mode is required'))
        if (spec?.resources?.requests?.storage === undefined) errors.push(required('spec.resources[storage]'))
        if (!old?.spec) return
        const kept = { ...spec, volumeName: old.spec.volumeName || spec?.volumeName }
        if (status?.phase === 'Bound') {
          Object.assign(kept, {
            resources: old.spec.resources,
            volumeAttributesClassName: old.spec.volumeAttributesClassName,
          })
        }
        // The class may be filled in later, but not changed.
        if (old.spec.storageClassName === undefined) delete kept.storageClassName
        const before = { ...old.spec, volumeName: kept.volumeName }
        if (sameValue(kept, before)) return
        const what =
          'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'
        errors.push(forbidden('spec', what))
      }),
    ),
  ],
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
