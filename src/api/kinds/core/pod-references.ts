/** Which other objects a pod needs from the API to run. */
import type { KubeObject } from '../../machinery/object.ts'

/** The parts of a pod that name other objects (API doc: core/v1 PodSpec), loosely typed: any part may be absent. */
export interface PodShape extends KubeObject {
  spec?: {
    nodeName?: string
    serviceAccountName?: string
    imagePullSecrets?: { name?: string }[]
    volumes?: VolumeShape[]
    containers?: ContainerShape[]
    initContainers?: ContainerShape[]
    ephemeralContainers?: ContainerShape[]
    resourceClaims?: { name?: string; resourceClaimName?: string }[]
  }
  status?: {
    resourceClaimStatuses?: { resourceClaimName?: string }[]
    extendedResourceClaimStatus?: { resourceClaimName?: string }
  }
}

interface ContainerShape {
  env?: { valueFrom?: { secretKeyRef?: { name?: string }; configMapKeyRef?: { name?: string } } }[]
  envFrom?: { secretRef?: { name?: string }; configMapRef?: { name?: string } }[]
}

interface VolumeShape {
  name?: string
  secret?: { secretName?: string }
  configMap?: { name?: string }
  persistentVolumeClaim?: { claimName?: string }
  ephemeral?: unknown
  projected?: { sources?: { secret?: { name?: string }; configMap?: { name?: string } }[] }
  csi?: { nodePublishSecretRef?: { name?: string } }
  azureFile?: { secretName?: string }
  cephfs?: { secretRef?: { name?: string } }
  flexVolume?: { secretRef?: { name?: string } }
  iscsi?: { secretRef?: { name?: string } }
  rbd?: { secretRef?: { name?: string } }
  scaleIO?: { secretRef?: { name?: string } }
  storageos?: { secretRef?: { name?: string } }
}

export type Referenced = 'secrets' | 'configmaps' | 'persistentvolumeclaims' | 'resourceclaims' | 'serviceaccounts'

function* inContainers(pod: PodShape, type: 'secrets' | 'configmaps'): Generator<string | undefined> {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {}
  for (const container of [...containers, ...initContainers, ...ephemeralContainers]) {
    for (const { valueFrom } of container.env ?? [])
      yield type === 'secrets' ? valueFrom?.secretKeyRef?.name : valueFrom?.configMapKeyRef?.name
    for (const from of container.envFrom ?? [])
      yield type === 'secrets' ? from.secretRef?.name : from.configMapRef?.name
  }
}

/** Secrets with which a volume's driver is asked. */
function* driverSecrets(volume: VolumeShape): Generator<string | undefined> {
  yield volume.csi?.nodePublishSecretRef?.name
  yield volume.azureFile?.secretName
  for (const type of ['cephfs', 'flexVolume', 'iscsi', 'rbd', 'scaleIO', 'storageos'] as const)
    yield volume[type]?.secretRef?.name
}

/** The claim that a volume of a pod comes by; undefined for one of another kind. A generic ephemeral volume's is KEP-1698's. */
export const claimNameOf = (
  pod: KubeObject,
  { name, ephemeral, persistentVolumeClaim }: Pick<VolumeShape, 'name' | 'ephemeral' | 'persistentVolumeClaim'>,
): string | undefined => (ephemeral ? `${pod.metadata?.name}-${name}` : persistentVolumeClaim?.claimName)

/** Names of the objects of one type that a pod refers to, in its own namespace. May repeat, may hold undefined. */
export function* podReferences(object: KubeObject, type: Referenced): Generator<string | undefined> {
  const pod = object as PodShape
  const { volumes = [] } = pod.spec ?? {}
  if (type === 'serviceaccounts') return yield pod.spec?.serviceAccountName
  if (type === 'resourceclaims') {
    for (const { resourceClaimName } of pod.spec?.resourceClaims ?? []) yield resourceClaimName
    for (const { resourceClaimName } of pod.status?.resourceClaimStatuses ?? []) yield resourceClaimName
    yield pod.status?.extendedResourceClaimStatus?.resourceClaimName
    return
  }
  if (type === 'persistentvolumeclaims') {
    for (const volume of volumes) yield claimNameOf(pod, volume)
    return
  }
  if (type === 'secrets') for (const { name } of pod.spec?.imagePullSecrets ?? []) yield name
  for (const volume of volumes) {
    yield type === 'secrets' ? volume.secret?.secretName : volume.configMap?.name
    if (type === 'secrets') yield* driverSecrets(volume)
    for (const source of volume.projected?.sources ?? [])
      yield type === 'secrets' ? source.secret?.name : source.configMap?.name
  }
  yield* inContainers(pod, type)
}
