import type { Clock, Timer } from '../lib/clock.ts'

/** Lets at most `limit` things happen at once; the others wait in order. */
export interface Limiter {
  /** Runs `work` when there is room for it. */
  run<T>(work: () => Promise<T>): Promise<T>
  /**
   * Resolves when nothing has run for a moment, after `limitMs` at the latest: what is less urgent does not take the
   * processor from it.
   */
  calm(limitMs: number): Promise<void>
}

/** One thing often leads to the next: so long (ms) after the last it is calm. */
const CALM_MS = 100

/** Makes a limiter. */
export function createLimiter(limit: number, clock: Pick<Clock, 'after' | 'elapsed'>): Limiter {
  let running = 0
  let endedAt = Number.NEGATIVE_INFINITY
  const waiting: (() => void)[] = []
  const lessUrgent = new Set<() => void>()
  let timer: Timer | undefined

  /** Sets the timer anew: there is none but while something waits for calm, and nothing runs. */
  function watch() {
    timer?.cancel()
    timer = undefined
    if (running > 0 || lessUrgent.size === 0) return
    const go = () => {
      for (const each of [...lessUrgent]) each()
    }
    timer = clock.after(endedAt + CALM_MS - clock.elapsed(), go)
  }
  return {
    async run(work) {
      if (running >= limit) await new Promise<void>(resolve => waiting.push(resolve))
      else running++
      watch()
      try {
        return await work()
      } finally {
        const next = waiting.shift()
        if (next) next()
        else running--
        endedAt = clock.elapsed()
        watch()
      }
    },
    calm(limitMs) {
      if (running === 0 && clock.elapsed() - endedAt >= CALM_MS) return Promise.resolve()
      return new Promise(resolve => {
        const late = clock.after(limitMs, () => go())
        const go = () => {
          lessUrgent.delete(go)
          late.cancel()
          resolve()
        }
        lessUrgent.add(go)
        watch()
      })
    },
  }
}
