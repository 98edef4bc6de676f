import type { PersistentVolumeClaim } from '../../api/generated/types/core-v1.ts'
import type { KindReader } from '../registry/registry.ts'
import { newestDefault } from './newest-default.ts'
import type { AdmissionPlugin } from './plugin.ts'

/** DefaultStorageClass: a claim that names no class gets the default one. '' is a name: none is wanted. */
export function defaultStorageClass(classes: KindReader): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    handles: ({ kind, subresource, operation }) =>
      kind.key === 'v1/persistentvolumeclaims' && subresource === '' && operation === 'CREATE',
    mutate({ object }) {
      const { metadata, spec } = object as PersistentVolumeClaim
      const named = metadata?.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec?.storageClassName
      if (named !== undefined || !spec) return
      const found = newestDefault(
        classes,
        'storageclass.kubernetes.io/is-default-class',
        'storageclass.beta.kubernetes.io/is-default-class',
      )
      if (found) spec.storageClassName = found.metadata?.name ?? ''
    },
  }
}
