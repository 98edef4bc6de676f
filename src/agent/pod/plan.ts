/** What a pod's containers need next: pure. The order of starts is upstream's (KEP-753 for sidecars). */
import type { Container, PodSpec } from '../../api/generated/types/core-v1.ts'
import { isSidecar } from '../../api/kinds/core/pod-containers.ts'
import type { ProbeType } from '../probes/prober.ts'
import type { ContainerStatus as Instance } from '../runtimes/runtime.ts'
import { shouldRestart } from './restart.ts'

/** A container as the plan sees it. */
export interface PlanSlot {
  readonly spec: Container
  readonly init: boolean
  /** Added to look into the pod: started once, whatever the others do, and never again. */
  readonly ephemeral?: boolean
  /** Its resources changed in a way that wants a new instance. */
  readonly resized?: boolean
  /** The newest instance. */
  readonly latest: Instance | undefined
  /** Code of an instance that ended and is gone from the runtime; where there is no newer one. */
  readonly lost?: number | undefined
  /** The newest instance ran in an earlier sandbox: init containers run again, and main ones have not begun. */
  readonly stale?: boolean
  /** It is being started or stopped: left alone. */
  readonly busy: boolean
  /** postStart and the startup probe are done. */
  readonly started: boolean
  /** Probe that condemned the running instance. */
  readonly failed: ProbeType | undefined
  /** It was stopped in order to be started anew: no policy and no back-off apply. */
  readonly forced: boolean
  /** Milliseconds until it may be started. */
  readonly wait: number
}

export interface Plan {
  readonly start: readonly string[]
  readonly stop: readonly {
    readonly name: string
    readonly message: string
    readonly probe?: ProbeType
    readonly forced: boolean
  }[]
  /** Waiting for their back-off. */
  readonly backOff: readonly string[]
  /** Milliseconds until the plan may differ by time alone. */
  readonly wake: number | undefined
  /** Nothing will ever be started again: the pod has succeeded or failed. */
  readonly over: boolean
}

/** Decides on all containers at once; init containers come first in `slots`. */
export function planPod(spec: PodSpec, slots: readonly PlanSlot[]): Plan {
  const start: string[] = []
  const stop: { name: string; message: string; probe?: ProbeType; forced: boolean }[] = []
  const backOff: string[] = []
  let wake: number | undefined
  const done = (over: boolean): Plan => ({ start, stop, backOff, wake, over })

  const begin = (slot: PlanSlot) => {
    if (slot.busy) return
    if (slot.wait <= 0) start.push(slot.spec.name)
    else {
      wake = Math.min(wake ?? Number.POSITIVE_INFINITY, slot.wait)
      if (slot.latest?.state === 'exited') backOff.push(slot.spec.name)
    }
  }
  /** How it ended; undefined for one that has not run, or runs. */
  const endOf = ({ latest, lost }: PlanSlot) => {
    if (!latest) return lost
    return latest.state === 'exited' ? (latest.exitCode ?? 0) : undefined
  }
  const again = (slot: PlanSlot) => slot.forced || shouldRestart(slot.spec, spec, endOf(slot) ?? 0, slot.init)
  /** Stops what must not go on as it is. */
  const judge = (slot: PlanSlot) => {
    if (slot.busy || slot.latest?.state !== 'running') return
    const { name, image } = slot.spec
    const title = slot.init ? 'Init container' : 'Container'
    if (image !== slot.latest.image) {
      stop.push({ name, message: `${title} ${name} definition changed, will be restarted`, forced: true })
    } else if (slot.resized) {
      stop.push({ name, message: `${title} ${name} resize requires restart`, forced: true })
    } else if (slot.failed) {
      const tail = shouldRestart(slot.spec, spec, 137, slot.init) ? ', will be restarted' : ''
      stop.push({
        name,
        message: `${title} ${name} failed ${slot.failed} probe${tail}`,
        probe: slot.failed,
        forced: false,
      })
    }
  }

  const init = slots.filter(slot => slot.init)
  const main = slots.filter(slot => !slot.init && !slot.ephemeral)
  const lasting = (slot: PlanSlot) => endOf(slot) !== undefined && !slot.busy && !again(slot)
  if (main.every(lasting)) return done(true)
  for (const slot of slots) if (slot.ephemeral && (!slot.latest || slot.latest.state === 'created')) begin(slot)
  const begun = main.some(slot => (slot.latest !== undefined || slot.lost !== undefined) && !slot.stale)

  for (const slot of init) {
    const { latest } = slot
    if (isSidecar(slot.spec)) {
      if (latest?.state === 'running') judge(slot)
      else begin(slot)
      if (!begun && !(latest?.state === 'running' && slot.started)) return done(false)
      continue
    }
    if (begun) continue
    const code = slot.stale ? undefined : endOf(slot)
    if (code !== undefined) {
      if (code === 0) continue
      if (!again(slot)) return done(!slot.busy)
      begin(slot)
    } else if (latest?.state === 'running') judge(slot)
    else begin(slot)
    return done(false)
  }
  for (const slot of main) {
    if (slot.latest?.state === 'running') judge(slot)
    else if (endOf(slot) === undefined || again(slot)) begin(slot)
  }
  return done(false)
}
