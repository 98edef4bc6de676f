import type { Clock, Timer } from './clock.ts'

interface Entry {
  due: number
  order: number
  fn: () => void
}

/** A clock that moves only when told. Timers fire in order of due time, then of creation. */
export interface VirtualClock extends Clock {
  /** When the next timer is due, in ms since the epoch; undefined when none is pending. */
  nextDue(): number | undefined
  /** Moves to `due` of the next timer and runs it; false when none is pending. */
  step(): boolean
  /**
   * Moves `ms` forward, running every timer that falls due, and lets promises settle (`settle`) before each step,
   * so that work caused by one timer can arm the next.
   */
  advance(ms: number, settle?: () => Promise<void>): Promise<void>
  /** Sets the hour on (or back) by `ms`, as a person or NTP does to a machine's clock: no timer is due sooner or later. */
  jump(ms: number): void
}

/** Lets every queued microtask and immediate run: the moment at which in-process work is at rest. */
export async function settled(turns = 4): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise<void>(resolve => setImmediate(resolve))
}

/** Makes a virtual clock that stands at `start` (ms since the epoch). */
export function virtualClock(start = Date.UTC(2026, 0, 1)): VirtualClock {
  /** As `elapsed` tells it. */
  let time = 0
  /** The hour at which `time` was 0. */
  let zero = start
  let created = 0
  const pending: Entry[] = []

  const earliest = () => {
    let best: Entry | undefined
    for (const entry of pending) {
      if (!best || entry.due < best.due || (entry.due === best.due && entry.order < best.order)) best = entry
    }
    return best
  }
  const remove = (entry: Entry) => {
    const at = pending.indexOf(entry)
    if (at >= 0) pending.splice(at, 1)
  }
  const run = (entry: Entry) => {
    remove(entry)
    time = Math.max(time, entry.due)
    entry.fn()
  }

  return {
    now: () => zero + time,
    elapsed: () => time,
    after(ms, fn): Timer {
      const entry = { due: time + Math.max(ms, 0), order: created++, fn }
      pending.push(entry)
      return { cancel: () => remove(entry) }
    },
    nextDue() {
      const next = earliest()
      return next && zero + next.due
    },
    step() {
      const next = earliest()
      if (next) run(next)
      return next !== undefined
    },
    async advance(ms, settle = settled) {
      const end = time + ms
      for (;;) {
        await settle()
        const next = earliest()
        if (!next || next.due > end) break
        run(next)
      }
      time = end
      await settle()
    },
    jump(ms) {
      zero += ms
    },
  }
}
