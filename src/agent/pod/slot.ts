/** One container of a pod over time: its instances, and what is being done about them. */
import type { Container, EphemeralContainer, Pod } from '../../api/generated/types/core-v1.ts'
import { isSidecar } from '../../api/kinds/core/pod-containers.ts'
import { noProbes, type ProbeCounts } from '../probes/counts.ts'
import type { Prober } from '../probes/prober.ts'
import type { ContainerStatus as Instance, Resources } from '../runtimes/runtime.ts'
import type { Lost } from './container-status.ts'
import type { Wanted } from './image-pull.ts'
import { allContainers } from './object.ts'
import { createRestartBackOff, type RestartBackOff } from './restart.ts'

/** Where a container stands in its pod's spec. */
export type Sort = 'init' | 'main' | 'ephemeral'

export interface Slot {
  /** Of an ephemeral container, `targetContainerName` too. */
  spec: Container & Pick<EphemeralContainer, 'targetContainerName'>
  readonly sort: Sort
  readonly init: boolean
  /** Newest first. */
  instances: readonly Instance[]
  /** How the instance ended that is gone from the runtime; until the next one is there. */
  lost: Lost | undefined
  /**
   * It has to run again from the beginning: in a new sandbox, or because all containers start anew, whatever their
   * policies. Until there is an instance.
   */
  anew: 'sandbox' | 'all' | undefined
  /** While all containers are stopped to start anew: instances up to this attempt are to go. */
  goes: number | undefined
  busy: 'starting' | 'stopping' | undefined
  /** What an instance was given, for runtimes that do not say. */
  limits: { readonly id: string; readonly resources: Resources } | undefined
  /** Why it does not run; kept until it does. */
  waiting: { readonly reason: string; readonly message?: string } | undefined
  /** A failed start is not repeated before (ms, elapsed). */
  retryAt: number
  /** The image of the last pull that failed, when that was told (ms, elapsed), and how more is told of it. */
  unpulled: (Pick<Wanted, 'image' | 'event'> & { readonly at: number }) | undefined
  readonly backOff: RestartBackOff
  /** Wait of the last BackOff event, so that each wait is told once. */
  toldBackOff: number
  prober: { readonly id: string; readonly prober: Prober } | undefined
  /** Tries of probes that counted, of all its instances. */
  readonly probed: ProbeCounts
  /** Instance whose postStart hook is done. */
  hooked: string | undefined
  /** Instance that was stopped to be started anew. */
  forced: string | undefined
  /** While it is being stopped: shortens the grace to so many ms. */
  hurry: ((graceMs: number) => void) | undefined
}

/** Makes the slot of a container that has not run. `restartMaxMs` is the longest wait for a restart. */
export const createSlot = (spec: Slot['spec'], sort: Sort, restartMaxMs: number): Slot => ({
  spec,
  sort,
  init: sort === 'init',
  limits: undefined,
  lost: undefined,
  anew: undefined,
  goes: undefined,
  instances: [],
  busy: undefined,
  waiting: undefined,
  retryAt: 0,
  unpulled: undefined,
  backOff: createRestartBackOff(restartMaxMs),
  toldBackOff: 0,
  prober: undefined,
  probed: noProbes(),
  hooked: undefined,
  forced: undefined,
  hurry: undefined,
})

/** The container as this state of its pod has it. */
export const specIn = (pod: Pod, { spec }: Slot): Container =>
  allContainers(pod).find(each => each.name === spec.name) ?? spec

/** Its process runs. */
export const isRunning = (slot: Slot): boolean => slot.instances[0]?.state === 'running'

/** postStart and the startup probe of the running instance are done. */
export function isStarted(slot: Slot): boolean {
  const [latest] = slot.instances
  if (latest?.state !== 'running' || slot.hooked !== latest.id) return false
  if (slot.sort === 'ephemeral') return true
  return slot.prober?.id === latest.id ? slot.prober.prober.started() : !slot.spec.startupProbe
}

/** As its status says: an init container is ready when it has succeeded. */
export function isReady(slot: Slot): boolean {
  const [latest] = slot.instances
  if (slot.init && !isSidecar(slot.spec)) return latest?.state === 'exited' && latest.exitCode === 0
  return isStarted(slot) && slot.prober?.id === latest?.id && slot.prober?.prober.ready() === true
}
