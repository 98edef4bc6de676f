/** The kinds that a node reads and writes, as the client needs them. */

import type { Lease } from '../api/generated/types/coordination-v1.ts'
import type {
  ConfigMap,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  Secret,
  ServiceAccount,
} from '../api/generated/types/core-v1.ts'
import type { RuntimeClass } from '../api/generated/types/node-v1.ts'
import type { CSIDriver, CSINode, VolumeAttachment } from '../api/generated/types/storage-v1.ts'
import type { KubeObject } from '../api/machinery/object.ts'
import type { Resource } from '../client/resource.ts'

function resource<T extends KubeObject>(
  apiVersion: string,
  kind: string,
  plural: string,
  namespaced = true,
): Resource<T> {
  const [version = '', group = ''] = apiVersion.split('/').reverse()
  return { group, version, kind, plural, namespaced, apiVersion, key: `${apiVersion}/${plural}` }
}

export const pods = resource<Pod>('v1', 'Pod', 'pods')
export const nodes = resource<Node>('v1', 'Node', 'nodes', false)
export const configMaps = resource<ConfigMap>('v1', 'ConfigMap', 'configmaps')
export const secrets = resource<Secret>('v1', 'Secret', 'secrets')
export const persistentVolumeClaims = resource<PersistentVolumeClaim>(
  'v1',
  'PersistentVolumeClaim',
  'persistentvolumeclaims',
)
export const persistentVolumes = resource<PersistentVolume>('v1', 'PersistentVolume', 'persistentvolumes', false)
export const csiDrivers = resource<CSIDriver>('storage.k8s.io/v1', 'CSIDriver', 'csidrivers', false)
export const csiNodes = resource<CSINode>('storage.k8s.io/v1', 'CSINode', 'csinodes', false)
export const volumeAttachments = resource<VolumeAttachment>(
  'storage.k8s.io/v1',
  'VolumeAttachment',
  'volumeattachments',
  false,
)
export const serviceAccounts = resource<ServiceAccount>('v1', 'ServiceAccount', 'serviceaccounts')
export const leases = resource<Lease>('coordination.k8s.io/v1', 'Lease', 'leases')
export const runtimeClasses = resource<RuntimeClass>('node.k8s.io/v1', 'RuntimeClass', 'runtimeclasses', false)
