/** What a volume type is to the agent. Types are files beside this one, listed in all.ts. */
import type { Pod, ServiceAccountTokenProjection, Volume } from '../../api/generated/types/core-v1.ts'
import type { HeldObjects } from '../object-source.ts'
import type { PodAddresses } from '../pod/fields.ts'

export interface VolumeContext {
  readonly pod: Pod
  /** The volume's own folder on this machine; made by the type that needs it. */
  readonly directory: string
  readonly objects: Pick<HeldObjects, 'configMap' | 'secret'>
  readonly addresses: PodAddresses
  /** node.status.allocatable. */
  readonly allocatable: Readonly<Record<string, string>>
  /** Group that shall own what is made; spec.securityContext.fsGroup. */
  readonly fsGroup: number | undefined
  /** Mounts may be made. */
  readonly mountable: boolean
  /** A valid token of the pod's service account, new when the last one grows old. */
  token(projection: ServiceAccountTokenProjection): Promise<string>
}

export interface VolumeType {
  /** Field of `Volume` that says it is one of these. */
  readonly field: keyof Volume
  /** Its content follows objects: `setUp` is called again after each change. */
  readonly live: boolean
  /** Makes or refreshes it; resolves with its path on this machine. Throws `VolumeError`. May be repeated. */
  setUp(volume: Volume, context: VolumeContext): Promise<string>
  /** Undoes what removing the folder does not. May be repeated. */
  tearDown?(volume: Volume, directory: string): Promise<void>
}

/** Why a volume cannot be set up; shown in FailedMount events. */
export class VolumeError extends Error {}
