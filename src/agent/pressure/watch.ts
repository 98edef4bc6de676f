/**
 * Looks whether the node runs short of memory, disk or processes, says so in its conditions, and evicts pods one after
 * the other until the want is over. It has no timer of its own while all is well: whoever has one (the heartbeat) or a
 * reason (a pod that is to start) makes it look, which costs a fraction of a millisecond.
 */
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Clock, Timer } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { MachineUsage } from '../node/usage.ts'
import { EVICTED, podTitle, type Refusal } from '../pod/deps.ts'
import { pressureRefusal } from './admission.ts'
import { createJudge, type Observations, observe } from './judge.ts'
import { type Pressure, SIGNALS, type Threshold } from './thresholds.ts'
import { type Candidate, evictionMessage, inOrderOfEviction } from './victims.ts'

/** Between two looks while a want is being ended, ms. */
const SOON_MS = 1000
/** A pod that was evicted has so long to be gone until another one is (the kubelet's), ms. */
const LEAVING_MS = 30_000
/** Between two attempts to free the disk of what nobody uses, ms. */
const ROOM_MS = 10_000
/** What a pod has left that is evicted at once (the kubelet's), ms. */
const AT_ONCE_MS = 1000

export interface EvictionSettings {
  readonly thresholds: readonly Threshold[]
  /** How long a condition stays after the last want, ms. */
  readonly transitionMs: number
  /** What pods have at most that are evicted by a soft threshold, ms. */
  readonly longestGraceMs: number
}

export interface PressureDeps<T extends Candidate> {
  readonly clock: Clock
  readonly logger: Logger
  readonly settings: EvictionSettings
  usage(): MachineUsage
  /** The pods that may be evicted, with what they use of what runs short. */
  candidates(threshold: Threshold): Promise<readonly T[]>
  /** The disk that is meant. */
  diskOf(threshold: Threshold): 'own' | 'images'
  /** Removes what nobody uses from it. */
  makeRoom(threshold: Threshold): Promise<unknown>
  evict(candidate: T, refusal: Refusal, graceMs: number): void
  /** Nothing of an evicted pod runs any more. */
  hasEnded(candidate: T): boolean
  /** Tells the cluster what is being reclaimed. */
  reclaiming(resource: string): void
}

export interface PressureWatch {
  conditions(): ReadonlySet<Pressure>
  /** Looks at the machine now, and begins to do what is due. */
  look(): void
  /** Undefined: a pod may start. */
  admit(pod: Pod): Refusal | undefined
  /** Called when the conditions have changed. */
  onChange(listener: () => void): void
  close(): void
}

/** Makes one that has not looked yet. */
export function createPressureWatch<T extends Candidate>(deps: PressureDeps<T>): PressureWatch {
  const { clock, logger, settings } = deps
  const judge = createJudge(settings)
  const listeners = new Set<() => void>()
  let conditions: ReadonlySet<Pressure> = new Set()
  let lookedAt = Number.NEGATIVE_INFINITY
  /** When room was made last, on each disk. */
  const roomAt = new Map<'own' | 'images', number>()
  let leaving: { readonly candidate: T; readonly until: number } | undefined
  let relieving = false
  let closed = false
  let timer: Timer | undefined

  function judgeNow(): { readonly due: readonly Threshold[]; readonly seen: Observations } {
    const seen = observe(deps.usage())
    lookedAt = clock.elapsed()
    const judged = judge(seen, lookedAt)
    const before = conditions
    conditions = judged.conditions
    const isSame = before.size === conditions.size && [...before].every(each => conditions.has(each))
    if (!isSame) for (const listener of listeners) listener()
    return { due: judged.due, seen }
  }

  function look() {
    timer?.cancel()
    if (closed || relieving) return
    const { due, seen } = judgeNow()
    if (due.length === 0) {
      leaving = undefined
      return
    }
    relieving = true
    void relieveOne(due, seen)
      .catch(error => {
        logger.error({ err: error, signals: due.map(each => each.signal) }, 'a node in want could not be relieved')
        return false
      })
      .then(goesOn => {
        relieving = false
        if (goesOn && !closed) timer = clock.after(SOON_MS, look)
      })
  }

  /** Does one thing against the most urgent of these wants that can be helped; false where there is nothing to be done. */
  async function relieveOne(due: readonly Threshold[], seen: Observations): Promise<boolean> {
    if (leaving) {
      // What ended a moment ago has not been given back whole yet.
      if (deps.hasEnded(leaving.candidate) || clock.elapsed() >= leaving.until) leaving = undefined
      return true
    }
    for (const want of due) if (await relieve(want, seen)) return true
    return false
  }

  async function relieve(want: Threshold, before: Observations): Promise<boolean> {
    let seen = before
    const { resource, condition } = SIGNALS[want.signal]
    deps.reclaiming(resource)
    const disk = deps.diskOf(want)
    const lastRoom = roomAt.get(disk) ?? Number.NEGATIVE_INFINITY
    if (condition === 'DiskPressure' && clock.elapsed() - lastRoom >= ROOM_MS) {
      roomAt.set(disk, clock.elapsed())
      await deps.makeRoom(want)
      const now = judgeNow()
      if (!now.due.includes(want)) return now.due.length > 0
      seen = now.seen
    }
    const [victim] = inOrderOfEviction(await deps.candidates(want), want)
    if (closed) return false
    if (!victim) {
      logger.warn({ resource }, 'the node runs short of a resource, and there is no pod that could be evicted')
      return false
    }
    const message = evictionMessage(want, seen.get(want.signal)!, victim)
    logger.warn({ pod: podTitle(victim.pod), resource }, 'a pod is evicted: the node runs short of a resource')
    deps.evict(
      victim,
      { reason: EVICTED, message, disruption: 'TerminationByKubelet' },
      want.graceMs ? Math.max(AT_ONCE_MS, settings.longestGraceMs) : AT_ONCE_MS,
    )
    leaving = { candidate: victim, until: clock.elapsed() + LEAVING_MS }
    return true
  }

  return {
    conditions: () => conditions,
    look,
    admit(pod) {
      if (clock.elapsed() - lookedAt >= SOON_MS) look()
      return pressureRefusal(pod, conditions)
    },
    onChange: listener => void listeners.add(listener),
    close() {
      closed = true
      timer?.cancel()
    },
  }
}
