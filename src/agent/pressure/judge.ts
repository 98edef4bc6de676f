/** What follows from what is seen of a node: its conditions, and which wants are to be ended by evicting pods. Pure. */
import type { MachineUsage } from '../node/usage.ts'
import { amountOf, type Pressure, SIGNALS, type Signal, type Threshold } from './thresholds.ts'

export interface Observation {
  readonly available: number
  readonly capacity: number
}

export type Observations = ReadonlyMap<Signal, Observation>

export interface Judgement {
  readonly conditions: ReadonlySet<Pressure>
  /** Wants that have lasted as long as they may, the most urgent first. */
  readonly due: readonly Threshold[]
}

export interface JudgeOptions {
  readonly thresholds: readonly Threshold[]
  /** A condition stays for so long after the last want of its kind, ms: otherwise it would come and go. */
  readonly transitionMs: number
}

/** What there is of what, by what the machine says. Images lie on the node's own disk unless they have another. */
export function observe(usage: MachineUsage): Observations {
  const { memoryAvailable, memoryTotal, disk, imageDisk = disk, processes, maxProcesses } = usage
  const seen = new Map<Signal, Observation>()
  const add = (signal: Signal, available: number, capacity: number) => {
    if (capacity > 0) seen.set(signal, { available, capacity })
  }
  add('memory.available', memoryAvailable, memoryTotal)
  for (const [name, found] of [
    ['nodefs', disk],
    ['imagefs', imageDisk],
  ] as const) {
    add(`${name}.available`, found?.availableBytes ?? 0, found?.capacityBytes ?? 0)
    // Some file systems have no limit of files, and say 0 of 0.
    add(`${name}.inodesFree`, found?.inodesFree ?? 0, found?.inodes ?? 0)
  }
  add('pid.available', maxProcesses - processes, maxProcesses)
  return seen
}

/** Memory first, as it is gone the soonest; then in the order of the settings. */
const urgency = ({ signal }: Threshold) => (SIGNALS[signal].resource === 'memory' ? 0 : 1)

/** Makes one that has seen nothing yet. `now` are ms of elapsed time. */
export function createJudge({ thresholds, transitionMs }: JudgeOptions) {
  /** Since when thresholds are passed. */
  let since = new Map<Threshold, number>()
  const lastSeen = new Map<Pressure, number>()

  function isPassed(threshold: Threshold, seen: Observations): boolean {
    const found = seen.get(threshold.signal)
    if (!found) return false
    const { below, reclaim } = threshold
    const more = since.has(threshold) && reclaim ? amountOf(reclaim, found.capacity) : 0
    return found.available < amountOf(below, found.capacity) + more
  }

  return function judge(seen: Observations, now: number): Judgement {
    const passed = thresholds.filter(each => isPassed(each, seen))
    since = new Map(passed.map(each => [each, since.get(each) ?? now]))
    for (const { signal } of passed) lastSeen.set(SIGNALS[signal].condition, now)
    const conditions = new Set<Pressure>()
    for (const [condition, at] of lastSeen) {
      if (at === now || now - at < transitionMs) conditions.add(condition)
      else lastSeen.delete(condition)
    }
    const due = passed.filter(each => now - since.get(each)! >= each.graceMs)
    return { conditions, due: due.sort((a, b) => urgency(a) - urgency(b)) }
  }
}
