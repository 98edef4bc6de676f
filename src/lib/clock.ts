/**
 * Time as a dependency. Everything that waits or reads the hour takes a `Clock`, so that a whole cluster can be run
 * on a virtual one and replayed (DESIGN D10). Nothing outside this file calls `Date.now` or `setTimeout` for logic.
 */

/** A pending call; `cancel` is harmless after it ran. */
export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /**
   * Milliseconds since some moment, for how long something takes and when it is due: unlike `now`, it only grows, and
   * goes as timers do, whatever is done to the machine's clock.
   */
  elapsed(): number
  /**
   * Runs `fn` once, `ms` milliseconds from now; never synchronously, even for 0.
   * A real timer does not keep the process alive.
   */
  after(ms: number, fn: () => void): Timer
}

/** Longest delay that Node's timers take; longer ones are chained. */
const MAX_DELAY = 2 ** 31 - 1

/** The machine's own clock. */
export const realClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms, fn) {
    let handle: NodeJS.Timeout
    const arm = (left: number) => {
      handle = setTimeout(
        () => (left > MAX_DELAY ? arm(left - MAX_DELAY) : fn()),
        Math.min(Math.max(left, 0), MAX_DELAY),
      )
      handle.unref()
    }
    arm(ms)
    return { cancel: () => clearTimeout(handle) }
  },
}

/** Resolves after `ms` milliseconds, or at once when `signal` aborts. Never rejects. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal?.aborted) return resolve()
    const done = () => {
      timer.cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = clock.after(ms, done)
    signal?.addEventListener('abort', done, { once: true })
  })
}

/**
 * What `work` comes to, or undefined when `ms` milliseconds are over or `signal` aborts before. Rejects as it does. No
 * timer is left behind.
 */
export async function within<T>(
  clock: Clock,
  ms: number,
  work: Promise<T>,
  signal?: AbortSignal,
): Promise<T | undefined> {
  const over = new AbortController()
  const waited = signal ? AbortSignal.any([signal, over.signal]) : over.signal
  try {
    return await Promise.race([work, sleep(clock, ms, waited).then(() => undefined)])
  } finally {
    over.abort()
  }
}
