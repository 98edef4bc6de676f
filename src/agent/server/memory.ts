/** Answers of the API server that hold for a while. */
import type { Clock } from '../../lib/clock.ts'

/** So many at most: then all are forgotten. */
const LIMIT = 1000

export interface Memory<T> {
  /** What was said under this key; undefined where nothing was, or too long ago. */
  get(key: string): { readonly value: T } | undefined
  /** Keeps it for so many milliseconds. */
  keep(key: string, value: T, ms: number): void
}

/** An empty one. */
export function createMemory<T>(clock: Pick<Clock, 'now'>): Memory<T> {
  const known = new Map<string, { readonly until: number; readonly value: T }>()
  return {
    get(key) {
      const found = known.get(key)
      return found && found.until > clock.now() ? found : undefined
    },
    keep(key, value, ms) {
      if (known.size >= LIMIT) known.clear()
      known.set(key, { until: clock.now() + ms, value })
    },
  }
}
