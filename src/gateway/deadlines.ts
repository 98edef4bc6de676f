/**
 * Connections that must not wait for ever. They are looked at all together from time to time, while there are any: a
 * timer for each would cost every request more than its parsing.
 */
import type { Clock, Timer } from '../lib/clock.ts'

export interface Waiting {
  /** By `Clock.elapsed`; Infinity: it may wait. */
  deadline: number
  /** Called once it is over; as long as it is, once a look. */
  late(): void
}

export interface Deadlines {
  add(waiting: Waiting): void
  delete(waiting: Waiting): void
}

/** How often is looked, in ms: what is late is told of by so much later at most. */
export const LOOK_MS = 5_000

/** Makes it, with nothing to look at. */
export function createDeadlines(clock: Clock): Deadlines {
  const all = new Set<Waiting>()
  let timer: Timer | undefined
  function look() {
    const now = clock.elapsed()
    for (const each of [...all]) if (each.deadline <= now) each.late()
    timer = all.size ? clock.after(LOOK_MS, look) : undefined
  }
  return {
    add(waiting) {
      all.add(waiting)
      timer ??= clock.after(LOOK_MS, look)
    },
    delete(waiting) {
      all.delete(waiting)
      if (all.size) return
      timer?.cancel()
      timer = undefined
    },
  }
}
