import type { PersistentVolumeClaim } from '../../api/generated/types/core-v1.ts'
import type { StorageClass } from '../../api/generated/types/storage-v1.ts'
import { compareQuantities } from '../../api/machinery/quantity.ts'
import type { KindReader } from '../registry/registry.ts'
import type { AdmissionPlugin } from './plugin.ts'
import { refuse } from './refusal.ts'

const classOf = ({ metadata, spec }: PersistentVolumeClaim) =>
  metadata?.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec?.storageClassName ?? ''
const sizeOf = ({ spec }: PersistentVolumeClaim) => spec?.resources?.requests?.storage ?? '0'

/** PersistentVolumeClaimResize: a claim grows only where its class can make its volume grow. */
export function persistentVolumeClaimResize(classes: KindReader): AdmissionPlugin {
  const canGrow = (name: string) =>
    (classes.get('', name)?.value as StorageClass | undefined)?.allowVolumeExpansion === true
  return {
    name: 'PersistentVolumeClaimResize',
    handles: ({ kind, subresource, operation }) =>
      kind.key === 'v1/persistentvolumeclaims' && subresource === '' && operation === 'UPDATE',
    validate(request) {
      const [next, old] = [request.object as PersistentVolumeClaim, request.old as PersistentVolumeClaim]
      if (compareQuantities(sizeOf(next), sizeOf(old)) <= 0) return
      if (old.status?.phase !== 'Bound') throw refuse(request, 'Only bound persistent volume claims can be expanded')
      const name = classOf(next)
      if (!name || name !== classOf(old) || !canGrow(name))
        throw refuse(
          request,
          'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
        )
    },
  }
}
