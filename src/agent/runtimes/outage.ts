/** Tells a runtime that is away for long from one that is started again. */
import type { Clock, Timer } from '../../lib/clock.ts'

/** So long it may be away (the kubelet's), ms. */
const LONG_MS = 30_000

export interface Outage {
  /** It has been away for half a minute, and still is. */
  isLong(): boolean
  /** Calls `listener` whenever that changes. */
  onChange(listener: () => void): void
}

export interface WatchedOutage extends Outage {
  /** It does not answer; repeated while that lasts. */
  began(): void
  over(): void
}

/** Of a runtime that answers. */
export function createOutage(clock: Pick<Clock, 'after'>): WatchedOutage {
  const listeners = new Set<() => void>()
  let timer: Timer | undefined
  let long = false
  const set = (next: boolean) => {
    if (long === next) return
    long = next
    for (const listener of listeners) listener()
  }
  return {
    isLong: () => long,
    onChange: listener => void listeners.add(listener),
    began() {
      timer ??= clock.after(LONG_MS, () => set(true))
    },
    over() {
      timer?.cancel()
      timer = undefined
      set(false)
    },
  }
}
