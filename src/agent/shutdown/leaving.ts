/** A node that is about to stop: with its pods, which run again at its next start, or with its machine. */
import { type Clock, within } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { Refusal } from '../pod/deps.ts'
import { type PodWorker, TOLD_MS } from '../pod/worker.ts'
import type { ShutdownPeriod } from './periods.ts'
import { createNodeShutdown } from './shutdown.ts'
import type { ShutdownSource } from './source.ts'

/** After its grace a container is gone within this time (ms). */
const KILLED_MS = 5000

export interface LeavingDeps {
  /** How long pods have when the machine shuts down. */
  readonly periods: readonly ShutdownPeriod[]
  readonly clock: Clock
  readonly logger: Logger
  workers(): Iterable<PodWorker>
  /** Tells the cluster, as an event of the node. */
  tell(message: string): void
}

export interface Leaving {
  /** The node is not ready. */
  isLeaving(): boolean
  /** Pods that come now wait for the next start. */
  beginsNone(): boolean
  /** Undefined: a pod may start. */
  admit(): Refusal | undefined
  /** The node can be told of from now on, by `tellStatus`; and the machine is listened to, where periods are set. */
  registered(tellStatus: () => Promise<void>, machine: ShutdownSource | undefined): void
  /** Stops all pods in order, each with its grace but at most `timeoutMs`; their objects stay. */
  drain(timeoutMs: number): Promise<void>
  /** The machine shuts down, and `timeoutMs` at most are left where no periods are set. */
  shutDown(timeoutMs: number): Promise<void>
}

/** Makes one of a node that stays, until `signal` aborts. */
export function createLeaving({ clock, logger, ...deps }: LeavingDeps, signal: AbortSignal): Leaving {
  let draining = false
  let tell: (() => Promise<void>) | undefined
  /** Says what the node is now; a server that is away is not waited for. */
  async function tellStatus() {
    const told = tell?.().catch(error => logger.warn({ err: error }, 'the node could not say how it is'))
    if (told) await within(clock, TOLD_MS, told, signal)
  }
  const shutdown = createNodeShutdown({ ...deps, clock, logger, tellStatus })

  async function drain(timeoutMs: number) {
    draining = true
    await tellStatus()
    const all = Promise.all([...deps.workers()].map(worker => worker.drain(timeoutMs)))
    // What ignores its signal is killed at the end of that time, and takes a moment to be gone.
    await within(clock, timeoutMs + KILLED_MS, all, signal)
  }
  return {
    isLeaving: () => draining || shutdown.isUnderWay(),
    beginsNone: () => draining,
    admit: shutdown.admit,
    registered(tellStatus, machine) {
      tell = tellStatus
      if (deps.periods.length > 0) machine?.follow(shutdown, signal)
    },
    drain,
    // Whoever has set no periods wants what a boot is to Docker: everything runs again after it.
    shutDown: timeoutMs => (deps.periods.length > 0 ? shutdown.begins() : drain(timeoutMs)),
  }
}
