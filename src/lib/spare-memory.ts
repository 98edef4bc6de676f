/**
 * Gives memory back that a burst of work has left behind. V8 keeps the room that it needed at its busiest: 60 MB after
 * many pods have come, which a program at rest never fills again. Once that is quiet for a while, one collection, a
 * pause of some 50 ms, hands it to the machine.
 *
 * Nothing is asked on a timer: a collection of V8's own says that there was work, and the wait begins with the last one.
 */
import { constants, PerformanceObserver } from 'node:perf_hooks'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import type { Clock } from './clock.ts'

export interface Heap {
  /** Calls back after collections that work brought about. */
  onCollection(fn: () => void): { close(): void }
  /** Bytes that are in use, and bytes that are held beside them. */
  size(): { readonly used: number; readonly spare: number }
  /** Collects everything, and gives back what is not needed. */
  collect(): Promise<void>
}

/** Without a collection for so long the program is at rest, ms. */
const QUIET_MS = 10_000
/** What is worth a pause, which grows with what is used: this part of it. */
const WORTH = 1 / 4

/** Follows a heap until `signal` aborts. */
export function giveBackSpareMemory(heap: Heap, clock: Pick<Clock, 'after' | 'elapsed'>, signal: AbortSignal): void {
  let busyAt = 0
  let timer: { cancel(): void } | undefined
  const wait = (ms: number) => {
    timer = clock.after(ms, () => {
      timer = undefined
      const left = busyAt + QUIET_MS - clock.elapsed()
      if (left > 0) return wait(left)
      const { used, spare } = heap.size()
      if (spare > used * WORTH) void heap.collect()
    })
  }
  const observer = heap.onCollection(() => {
    busyAt = clock.elapsed()
    if (!timer) wait(QUIET_MS)
  })
  signal.addEventListener(
    'abort',
    () => {
      observer.close()
      timer?.cancel()
    },
    { once: true },
  )
}

/** This program's own heap: that of its main thread. */
export const ownHeap: Heap = {
  onCollection(fn) {
    const isWork = (entry: object) =>
      (entry as { readonly detail: { readonly kind: number } }).detail.kind === constants.NODE_PERFORMANCE_GC_MINOR
    const observer = new PerformanceObserver(list => {
      if (list.getEntries().some(isWork)) fn()
    })
    observer.observe({ entryTypes: ['gc'] })
    return { close: () => observer.disconnect() }
  },
  size() {
    const { total_heap_size: held, used_heap_size: used } = getHeapStatistics()
    return { used, spare: held - used }
  },
  async collect() {
    const { runInNewContext } = await import('node:vm')
    // Node shows it to a program that was started with the flag, and to contexts that are made after it was set.
    setFlagsFromString('--expose-gc')
    runInNewContext('gc')()
  },
}
