/** What a volume type is to the agent. Types are files beside this one, listed in all.ts. */
import type {
  CSIPersistentVolumeSource,
  CSIVolumeSource,
  LocalVolumeSource,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  ServiceAccountTokenProjection,
  Volume,
} from '../../api/generated/types/core-v1.ts'
import type { CsiVolumes } from '../csi/volumes.ts'
import type { HeldObjects } from '../object-source.ts'
import type { PodAddresses } from '../pod/fields.ts'
import type { Mount } from '../runtimes/runtime.ts'

/** Where a volume's content comes from: a volume of a pod, or what its claim is bound to. */
export interface VolumeSource extends Omit<Volume, 'name' | 'csi'> {
  readonly csi?: CSIVolumeSource | CSIPersistentVolumeSource
  readonly local?: LocalVolumeSource
}

/** One volume to set up. */
export interface VolumeSpec {
  /** Of its folder and in messages: the pod's name for it, or the PersistentVolume's. */
  readonly name: string
  readonly source: VolumeSource
  /** Where it came through a claim. */
  readonly bound?: { readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }
  /** The pod, or the volume, says that nothing may be written. */
  readonly readOnly: boolean
}

/** What the node has for volumes, whichever pod they are of. */
export interface VolumeServices {
  /** Absent where no mounts can be made. */
  readonly csi: CsiVolumes | undefined
}

export interface VolumeContext extends VolumeServices {
  readonly pod: Pod
  /** The volume's own folder on this machine; made by the type that needs it. */
  readonly directory: string
  readonly objects: Pick<HeldObjects, 'configMap' | 'secret'>
  readonly addresses: PodAddresses
  /** node.status.allocatable. */
  readonly allocatable: Readonly<Record<string, string>>
  /** Mounts may be made. */
  readonly mountable: boolean
  /** A valid token of the pod's service account, new when the last one grows old. */
  token(projection: ServiceAccountTokenProjection): Promise<string>
}

/** Where the files of an image volume are, and those of a folder in it ('': all). Rejects with what is wrong. */
export type ImageSource = (volume: string, subPath: string) => Promise<Pick<Mount, 'hostPath' | 'image'>>

/** What a mount shows. */
export type MountSource = Pick<Mount, 'hostPath' | 'image' | 'noExec'>

/** A volume that is to be mounted into a container. */
export interface VolumeUse {
  /** The pod's name for it. */
  readonly volume: string
  /** A path below it, '' for all of it, that leads nowhere else by its words. */
  readonly subPath: string
  readonly images: ImageSource
}

export interface VolumeType {
  /** Field of the source that says it is one of these. */
  readonly field: keyof VolumeSource
  /** Its folder in the pod's, as the kubelet names it: `kubernetes.io~empty-dir`. */
  readonly folder: string
  /** Its content follows objects: `setUp` is called again after each change. */
  readonly live: boolean
  /** Containers never write to it. */
  readonly readOnly: boolean
  /** Makes or refreshes it; resolves with its path on this machine. Throws `VolumeError`. May be repeated. */
  setUp(spec: VolumeSpec, context: VolumeContext): Promise<string>
  /** How containers mount it; by its path, as `hostPath`, where absent. Rejects with what is wrong. */
  mount?(use: VolumeUse): Promise<MountSource>
  /** The same for `volumeMode: Block`: resolves with the path of the device. */
  map?(spec: VolumeSpec, context: VolumeContext): Promise<string>
  /** Undoes what stands in a volume's folder, before that is removed; mounts are undone afterwards. May be repeated. */
  tearDown?(directory: string, services: VolumeServices): Promise<void>
}

/** Why a volume cannot be set up; shown in FailedMount events. */
export class VolumeError extends Error {
  /** What was being done: `MountVolume.SetUp failed` unless told. */
  readonly step: string | undefined

  /** It waits for somebody else, and is worth another try soon. */
  readonly soon: boolean

  constructor(message: string, options?: ErrorOptions & { readonly step?: string; readonly soon?: boolean }) {
    super(message, options)
    this.step = options?.step
    this.soon = options?.soon ?? false
  }
}
