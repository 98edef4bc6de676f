/**
 * Keeps a controller that writes without progress from spinning: two parts of a cluster that contradict each other
 * would otherwise write as fast as the server answers. Work that is meant has room for bursts, and loses a moment.
 */
import type { Clock } from '../lib/clock.ts'

export interface WriteBudget<K> {
  /** Takes note of a pass that wrote; ms for which the key should rest before its next pass, mostly 0. */
  spend(key: K): number
}

/** Passes with writes of one key that may follow each other without rest. */
const BURST = 300
/** From then on, one in this many ms. */
const INTERVAL_MS = 100
/** Keys that are remembered before those that have rested are forgotten. */
const KEPT = 1000

/** Makes one; every key begins with a full burst. */
export function createWriteBudget<K>(clock: Clock): WriteBudget<K> {
  /** When the key's burst will be whole again, by `clock.elapsed`. */
  const wholeAt = new Map<K, number>()

  function forgetRested(now: number) {
    if (wholeAt.size <= KEPT) return
    for (const [key, at] of wholeAt) if (at <= now) wholeAt.delete(key)
  }
  return {
    spend(key) {
      const now = clock.elapsed()
      forgetRested(now)
      const at = Math.max(wholeAt.get(key) ?? now, now) + INTERVAL_MS
      wholeAt.set(key, at)
      return Math.max(0, at - now - BURST * INTERVAL_MS)
    },
  }
}
