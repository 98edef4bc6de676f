/**
 * How a data plane is brought up to date: all of it once at the start, then only what changed, that of one turn of the
 * event loop together. While one round is being made, the next gathers; after one that failed all is built anew.
 */
import type { Clock, Timer } from '../lib/clock.ts'

export interface RoundsDeps {
  /** Whether something changed since the last round; absent where only all of it is ever made. */
  isDirty?(): boolean
  /** Makes a round of what changed, or of everything. What it takes is not dirty any more, even when it rejects. */
  make(whole: boolean): Promise<void>
  /** Tells of a round that failed. */
  failed(error: unknown): void
  readonly clock: Clock
  /** Milliseconds before all is built anew once more, where that failed. Default: 1000. */
  readonly retryMs?: number
}

export interface Rounds {
  /** Something changed. */
  wake(): void
  /** Everything is to be looked at again. */
  wakeWhole(): void
  /** Resolves when everything that was known at the call is in the data plane, or cannot be now. */
  idle(): Promise<void>
}

/** Makes rounds until the signal aborts; the first, of everything, comes with the first call. */
export function createRounds(
  { isDirty, make, failed, clock, retryMs = 1000 }: RoundsDeps,
  signal: AbortSignal,
): Rounds {
  let whole = true
  let running: Promise<void> | undefined
  let retry: Timer | undefined

  async function work(): Promise<void> {
    await new Promise<void>(resolve => setImmediate(resolve))
    while ((whole || isDirty?.()) && !signal.aborted) {
      const again = whole
      whole = false
      try {
        await make(again)
      } catch (error) {
        failed(error)
        whole = true
        if (!again) continue
        retry?.cancel()
        retry = clock.after(retryMs, wake)
        break
      }
    }
    running = undefined
  }
  function wake() {
    if (!signal.aborted) running ??= work()
  }

  return {
    wake,
    wakeWhole() {
      whole = true
      wake()
    },
    async idle() {
      while (running) await running
    },
  }
}
