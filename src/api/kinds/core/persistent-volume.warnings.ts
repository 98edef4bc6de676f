/** What a client should stop using in volumes and claims (k8s.io/kubernetes `pkg/api/persistentvolume`). */
import type { PersistentVolume, PersistentVolumeClaim } from '../../generated/types/core-v1.ts'
import { fractionWarning } from './volume-warnings.ts'

const ANNOTATIONS = {
  'volume.beta.kubernetes.io/storage-class': 'deprecated since v1.8; use "storageClassName" attribute instead',
  'volume.beta.kubernetes.io/mount-options': 'deprecated since v1.31; use "mountOptions" attribute instead',
} as const

/** Types of volumes that are gone: field, its name in the message, since when deprecated and gone. */
const GONE = [
  ['cephfs', 'cephfs', 'v1.28', 'v1.31+'],
  ['photonPersistentDisk', 'photonPersistentDisk', 'v1.11', 'v1.16+'],
  ['scaleIO', 'scaleIO', 'v1.16', 'v1.22+'],
  ['storageos', 'storageOS', 'v1.22', 'v1.25+'],
  ['glusterfs', 'glusterfs', 'v1.25', 'v1.26+'],
  ['rbd', 'rbd', 'v1.28', 'v1.31+'],
] as const

const RECYCLE =
  'The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.'

export function persistentVolumeWarnings({ metadata, spec }: PersistentVolume): string[] {
  const warnings: string[] = []
  for (const [key, message] of Object.entries(ANNOTATIONS)) {
    if (metadata?.annotations?.[key] !== undefined) warnings.push(`metadata.annotations[${key}]: ${message}`)
  }
  if (spec?.persistentVolumeReclaimPolicy === 'Recycle') {
    warnings.push(`spec.persistentVolumeReclaimPolicy: ${RECYCLE}`)
  }
  for (const [field, name, deprecated, gone] of GONE) {
    if (spec?.[field]) warnings.push(`spec.${name}: deprecated in ${deprecated}, non-functional in ${gone}`)
  }
  return warnings
}

export function persistentVolumeClaimWarnings({ metadata, spec }: PersistentVolumeClaim): string[] {
  const warnings: string[] = []
  const beta = 'volume.beta.kubernetes.io/storage-class'
  if (metadata?.annotations?.[beta] !== undefined) {
    warnings.push(`metadata.annotations[${beta}]: ${ANNOTATIONS[beta]}`)
  }
  for (const list of ['requests', 'limits'] as const) {
    warnings.push(...fractionWarning(spec?.resources?.[list]?.storage, `spec.resources.${list}[storage]`))
  }
  return warnings
}
