/** One container of a pod over time: its instances, and what is being done about them. */
import type { Container } from '../../api/generated/types/core-v1.ts'
import type { Prober } from '../probes/prober.ts'
import type { ContainerStatus as Instance } from '../runtimes/runtime.ts'
import { createRestartBackOff, type RestartBackOff } from './restart.ts'
import type { ContainerView } from './status.ts'

export interface Slot {
  spec: Container
  readonly init: boolean
  /** Newest first. */
  instances: readonly Instance[]
  busy: 'starting' | 'stopping' | undefined
  /** Why it does not run; kept until it does. */
  waiting: { readonly reason: string; readonly message?: string } | undefined
  /** A failed start is not repeated before (ms since the epoch). */
  retryAt: number
  readonly backOff: RestartBackOff
  /** Wait of the last BackOff event, so that each wait is told once. */
  toldBackOff: number
  prober: { readonly id: string; readonly prober: Prober } | undefined
  /** Instance whose postStart hook is done. */
  hooked: string | undefined
  /** Instance that was stopped to be started anew. */
  forced: string | undefined
  /** While it is being stopped: shortens the grace to so many ms. */
  hurry: ((graceMs: number) => void) | undefined
}

/** Makes the slot of a container that has not run. */
export const createSlot = (spec: Container, init: boolean): Slot => ({
  spec,
  init,
  instances: [],
  busy: undefined,
  waiting: undefined,
  retryAt: 0,
  backOff: createRestartBackOff(),
  toldBackOff: 0,
  prober: undefined,
  hooked: undefined,
  forced: undefined,
  hurry: undefined,
})

/** Its process runs. */
export const isRunning = (slot: Slot): boolean => slot.instances[0]?.state === 'running'

/** postStart and the startup probe of the running instance are done. */
export function isStarted(slot: Slot): boolean {
  const [latest] = slot.instances
  if (latest?.state !== 'running' || slot.hooked !== latest.id) return false
  return slot.prober?.id === latest.id ? slot.prober.prober.started() : !slot.spec.startupProbe
}

/** As its status says: an init container is ready when it has succeeded. */
export function isReady(slot: Slot): boolean {
  const [latest] = slot.instances
  if (slot.init && slot.spec.restartPolicy !== 'Always') return latest?.state === 'exited' && latest.exitCode === 0
  return isStarted(slot) && slot.prober?.id === latest?.id && slot.prober?.prober.ready() === true
}

/** What the status shows of it. */
export const viewOf = (slot: Slot): ContainerView => ({
  spec: slot.spec,
  instances: slot.instances,
  waiting: slot.waiting,
  started: slot.init && slot.spec.restartPolicy !== 'Always' ? isRunning(slot) : isStarted(slot),
  ready: isReady(slot),
})
