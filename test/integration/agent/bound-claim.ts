/** A claim and its volume, as the controllers would have bound them. */
import { persistentVolumeClaims, persistentVolumes } from '../../../src/agent/resources.ts'
import type { PersistentVolume } from '../../../src/api/generated/types/core-v1.ts'
import type { Client } from '../../../src/client/client.ts'

/** Makes the claim `name` and the volume `pv-name`, of which `more` says where it is. Resolves with a pod's source. */
export async function boundClaim(admin: Client, name: string, more: object) {
  const { metadata } = await admin.kind(persistentVolumeClaims).create({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: 'default' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      storageClassName: '',
      volumeName: `pv-${name}`,
    },
  })
  await admin.kind(persistentVolumes).create({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `pv-${name}` },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      claimRef: { kind: 'PersistentVolumeClaim', namespace: 'default', name, uid: metadata?.uid },
      ...more,
    },
  } as PersistentVolume)
  await admin
    .kind(persistentVolumeClaims)
    .patch({ namespace: 'default', name }, { status: { phase: 'Bound' } }, { type: 'merge', subresource: 'status' })
  return { persistentVolumeClaim: { claimName: name } }
}
