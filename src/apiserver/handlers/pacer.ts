import type { Clock } from '../../lib/clock.ts'

/** Calls what it is given soon, together with what else comes in the meantime. */
export type Pacer = (wake: () => void) => void

/**
 * Events to remote watchers leave at once when it is quiet, and at most every so many ms when they come thick: then one
 * write for many events is worth more than their being a moment earlier (a write, with its encryption and system call,
 * costs as much as the bytes of ten events).
 */
const INTERVAL = 3

/** Makes a pacer, which all remote watchers share. */
export function createPacer(clock: Clock): Pacer {
  let waiting: (() => void)[] = []
  let last = Number.NEGATIVE_INFINITY

  function flush() {
    last = clock.elapsed()
    const due = waiting
    waiting = []
    for (const wake of due) wake()
  }

  return wake => {
    waiting.push(wake)
    if (waiting.length > 1) return
    const since = clock.elapsed() - last
    if (since >= INTERVAL) setImmediate(flush)
    else clock.after(INTERVAL - since, flush)
  }
}
