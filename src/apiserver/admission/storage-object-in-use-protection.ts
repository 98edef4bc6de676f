import type { AdmissionPlugin } from './plugin.ts'

/** The finalizer of each kind; the controllers of `storage-protection` take it off once nothing uses the object. */
const FINALIZERS: Readonly<Record<string, string>> = {
  'v1/persistentvolumes': 'kubernetes.io/pv-protection',
  'v1/persistentvolumeclaims': 'kubernetes.io/pvc-protection',
  'storage.k8s.io/v1/volumeattributesclasses': 'kubernetes.io/vac-protection',
}

/** StorageObjectInUseProtection: storage that is in use is not removed under those who use it. */
export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  handles: ({ kind, subresource, operation }) =>
    operation === 'CREATE' && subresource === '' && FINALIZERS[kind.key] !== undefined,
  mutate({ kind, object }) {
    const finalizer = FINALIZERS[kind.key]!
    const metadata = (object!.metadata ??= {})
    if (!metadata.finalizers?.includes(finalizer)) metadata.finalizers = [...(metadata.finalizers ?? []), finalizer]
  },
}
