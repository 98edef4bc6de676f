/** What a CSI volume of a pod is to its driver: names, capability and context. Pure. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { CSIPersistentVolumeSource, CSIVolumeSource, Pod } from '../../api/generated/types/core-v1.ts'
import type { CSIDriver } from '../../api/generated/types/storage-v1.ts'
import type { Encodable } from '../../lib/protobuf/message.ts'
import type { VolumeSpec } from '../volumes/volume.ts'
import { CAPABILITY, MODE, type VolumeCapability } from './messages.ts'

const hash = (text: string) => createHash('sha256').update(text).digest('hex')

/** A volume as all calls to a driver need it. */
export interface CsiVolume {
  readonly driver: string
  readonly handle: string
  /** The PersistentVolume's name, or the pod's for one that is its own. */
  readonly name: string
  /** It lives and ends with the pod, and its driver makes it when it is published. */
  readonly ephemeral: boolean
  readonly block: boolean
  readonly readOnly: boolean
  readonly fsType: string
  readonly attributes: Readonly<Record<string, string>>
  readonly accessMode: string
  readonly mountOptions: readonly string[]
  readonly publishSecret: SecretName | undefined
  readonly stageSecret: SecretName | undefined
  readonly expandSecret: SecretName | undefined
}

export interface SecretName {
  readonly namespace: string
  readonly name: string
}

const secretName = (ref: { namespace?: string; name?: string } | undefined, namespace = ''): SecretName | undefined =>
  ref?.name ? { namespace: ref.namespace ?? namespace, name: ref.name } : undefined

/** Reads a volume. */
export function csiVolumeOf(spec: VolumeSpec, pod: Pod): CsiVolume {
  const { bound, name, source } = spec
  if (!bound) {
    const {
      driver = '',
      fsType = '',
      volumeAttributes = {},
      nodePublishSecretRef,
      readOnly,
    } = source.csi as CSIVolumeSource
    return {
      driver,
      handle: `csi-${hash(`${pod.metadata?.uid}${name}`)}`,
      name,
      ephemeral: true,
      block: false,
      readOnly: readOnly ?? false,
      fsType,
      attributes: volumeAttributes,
      accessMode: 'ReadWriteOnce',
      mountOptions: [],
      publishSecret: secretName(nodePublishSecretRef, pod.metadata?.namespace),
      stageSecret: undefined,
      expandSecret: undefined,
    }
  }
  const csi = source.csi as CSIPersistentVolumeSource
  const { accessModes = [], mountOptions = [], volumeMode } = bound.volume.spec ?? {}
  return {
    driver: csi.driver,
    handle: csi.volumeHandle,
    name,
    ephemeral: false,
    block: volumeMode === 'Block',
    readOnly: spec.readOnly || (csi.readOnly ?? false),
    fsType: csi.fsType ?? '',
    attributes: csi.volumeAttributes ?? {},
    accessMode: accessModes[0] ?? 'ReadWriteOnce',
    mountOptions,
    publishSecret: secretName(csi.nodePublishSecretRef),
    stageSecret: secretName(csi.nodeStageSecretRef),
    expandSecret: secretName(csi.nodeExpandSecretRef),
  }
}

function modeOf(accessMode: string, can: (capability: number) => boolean): number {
  switch (accessMode) {
    case 'ReadOnlyMany':
      return MODE.multiNodeReader
    case 'ReadWriteMany':
      return MODE.multiNodeWriter
    case 'ReadWriteOncePod':
      return can(CAPABILITY.multiWriter) ? MODE.singleNodeSingleWriter : MODE.singleNodeWriter
    default:
      return can(CAPABILITY.multiWriter) ? MODE.singleNodeMultiWriter : MODE.singleNodeWriter
  }
}

/** How the volume is to be used. `group` is given to drivers that set it themselves. */
export function capabilityOf(
  { block, fsType, mountOptions, accessMode }: CsiVolume,
  can: (capability: number) => boolean,
  group: number | undefined,
): Encodable<VolumeCapability> {
  const volumeMountGroup = group !== undefined && can(CAPABILITY.mountGroup) ? { volumeMountGroup: String(group) } : {}
  return {
    ...(block ? { block: {} } : { mount: { fsType, mountFlags: mountOptions, ...volumeMountGroup } }),
    accessMode: { mode: modeOf(accessMode, can) },
  }
}

/** What a driver that asks for it (podInfoOnMount) learns of the pod. */
export const podInfo = ({ metadata = {}, spec }: Pod, ephemeral: boolean): Record<string, string> => ({
  'csi.storage.k8s.io/pod.name': metadata.name ?? '',
  'csi.storage.k8s.io/pod.namespace': metadata.namespace ?? '',
  'csi.storage.k8s.io/pod.uid': metadata.uid ?? '',
  'csi.storage.k8s.io/serviceAccount.name': spec?.serviceAccountName ?? '',
  'csi.storage.k8s.io/ephemeral': String(ephemeral),
})

/** Whether the node gives the volume to the pod's group (API doc: CSIDriverSpec.fsGroupPolicy). */
export function isGivenToGroup(
  { fsType, accessMode, block, readOnly }: CsiVolume,
  driver: CSIDriver | undefined,
): boolean {
  const policy = driver?.spec.fsGroupPolicy || 'ReadWriteOnceWithFSType'
  if (policy === 'None' || block || readOnly) return false
  return policy === 'File' || (fsType !== '' && /^ReadWriteOnce/.test(accessMode))
}

/** The name of the VolumeAttachment of a volume and a node. */
export const attachmentName = ({ handle, driver }: Pick<CsiVolume, 'handle' | 'driver'>, node: string): string =>
  `csi-${hash(handle + driver + node)}`

/** As node.status.volumesInUse names it. */
export const inUseName = ({ handle, driver }: Pick<CsiVolume, 'handle' | 'driver'>): string =>
  `kubernetes.io/csi/${driver}^${handle}`

/** Where drivers' files are, as the kubelet has them. */
export function places(
  dataDir: string,
  { driver, handle, name, block }: Pick<CsiVolume, 'driver' | 'handle' | 'name' | 'block'>,
) {
  const root = join(dataDir, 'plugins/kubernetes.io/csi')
  return {
    staging: block ? join(root, 'volumeDevices/staging', name) : join(root, driver, hash(handle), 'globalmount'),
    /** Of a device that is published for a pod. */
    device: (podUid: string) => join(root, 'volumeDevices/publish', name, podUid),
  }
}
