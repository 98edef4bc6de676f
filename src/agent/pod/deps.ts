/** What the pods of a node share. */
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Client } from '../../client/client.ts'
import type { EventRecorder } from '../../client/event-recorder.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { NodeDevices } from '../devices/devices.ts'
import type { Limiter } from '../limiter.ts'
import type { ObjectSource } from '../object-source.ts'
import type { PodNetwork } from '../pod-network.ts'
import type { Pulls } from '../pulls/pulls.ts'
import type { RuntimeDriver } from '../runtimes/runtime.ts'
import type { ServiceEnvironment } from '../service-env.ts'
import type { ClaimSource } from '../volumes/claims.ts'
import type { VolumeServices } from '../volumes/volume.ts'
import type { SandboxCount } from './sandbox-count.ts'
import type { UserNamespaces } from './user-namespaces.ts'

/** Reason of a pod that the node cannot keep, or does not take, for what it would use. */
export const EVICTED = 'Evicted'

/** Why a pod may not run here; its phase becomes Failed. */
export interface Refusal {
  readonly reason: string
  readonly message: string
  /** Why it is told as disrupted (condition DisruptionTarget), where it ends for no fault of its own. */
  readonly disruption?: 'TerminationByKubelet'
  /** What is said of that, where it is another message. */
  readonly disrupted?: string
  /** It has never run: nothing is told of its containers. */
  readonly rejected?: true
}

export interface PodDeps {
  readonly client: Client
  readonly clock: Clock
  readonly logger: Logger
  readonly events: EventRecorder
  readonly objects: ObjectSource
  readonly claims: ClaimSource
  readonly volumeServices: VolumeServices
  readonly podNetwork: PodNetwork
  /** The node only ends what runs. */
  readonly ending?: boolean
  readonly serviceEnv: ServiceEnvironment
  /**
   * Bounds starts that happen at once: more do not go faster, and the first would come later. What may wait a moment
   * asks it for calm.
   */
  readonly starts: Limiter
  /** Devices of plugins. */
  readonly devices: Pick<NodeDevices, 'wants' | 'admit' | 'prepare' | 'release'>
  /** How images are come by. */
  readonly pulls: Pulls
  /** Folder of seccomp profiles that pods name (`Localhost`). */
  readonly seccompDirectory: string
  /** How many sandboxes were asked for, and failed. */
  readonly sandboxes: SandboxCount
  /** Ids for pods with users of their own. */
  readonly userNamespaces: UserNamespaces
  /** Folder of pods, one folder each by uid. */
  readonly podsDirectory: string
  readonly node: {
    readonly name: string
    readonly ips: readonly string[]
    /** Bytes. */
    readonly memoryCapacity: number
    /** Processes that one pod may have; undefined: any number. */
    readonly podPids?: number | undefined
    /** Longest wait before a container that failed is started again, ms. */
    readonly restartMaxMs: number
    /** node.status.allocatable. */
    allocatable(): Readonly<Record<string, string>>
  }
  /** All runtimes of the node. */
  readonly runtimes: readonly RuntimeDriver[]
  /** The runtime of a pod by its runtimeClassName; throws `RuntimeError` that says what to do where there is none. */
  runtimeOf(pod: Pod): Promise<{ readonly driver: RuntimeDriver; readonly handler: string }>
  /** Checks a pod that has not run yet; undefined: it may. Where what is known of the node may be old, it is asked for. */
  admit(pod: Pod): Refusal | undefined | Promise<Refusal | undefined>
  /** Checks what a pod that runs asks for now; undefined: the node has room for it. */
  fitsResized(pod: Pod): Refusal | undefined
  /** A pod takes less of the node than before, or nothing: others that wait may be looked at again. */
  freed(): void
  /** Ends all work; workloads go on. */
  readonly signal: AbortSignal
}

/** `name_namespace(uid)`, as the kubelet's messages name pods. */
export const podTitle = ({ metadata = {} }: Pod): string => `${metadata.name}_${metadata.namespace}(${metadata.uid})`
