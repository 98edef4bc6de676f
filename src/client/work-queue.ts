/**
 * Keys that wait for work: each once however often it is asked for, never in two hands, first come first served,
 * later on request, and with growing delays after failures (as client-go's util/workqueue).
 */
import type { Clock, Timer } from '../lib/clock.ts'

export interface WorkQueue<K> {
  /** Asks for work on `key`. While it is in hand it is remembered and comes again after `done`. */
  add(key: K): void
  /** Adds after `ms`; the earliest of several requests counts, and work before then cancels it. */
  addAfter(key: K, ms: number): void
  /** Adds with the delay that the number of failures since `forget` gives; returns that delay in ms. */
  addFailed(key: K): number
  /** Failures are forgotten. */
  forget(key: K): void
  failures(key: K): number
  /** The next key, which is in hand until `done`; undefined when the queue was closed. */
  take(): Promise<K | undefined>
  done(key: K): void
  /** Keys that wait now, without delayed ones and those in hand. */
  depth(): number
  /** True when nothing waits and nothing is in hand; delayed keys do not count. */
  idle(): boolean
  /** Resolves when it is idle, at once where it is so now. */
  whenIdle(): Promise<void>
  /** Nothing waits any more; keys in hand are still waited for by `whenIdle`. */
  close(): void
}

export interface WorkQueueOptions {
  /** First delay after a failure, ms. Default 5. */
  readonly backOff?: number
  /** Longest delay, ms. Default 1000 seconds. */
  readonly backOffMax?: number
}

/** Makes an empty queue. */
export function createWorkQueue<K>(clock: Clock, options: WorkQueueOptions = {}): WorkQueue<K> {
  const { backOff = 5, backOffMax = 1_000_000 } = options
  const waiting = new Set<K>()
  const inHand = new Set<K>()
  const again = new Set<K>()
  const failed = new Map<K, number>()
  const delayed = new Map<K, { due: number; timer: Timer }>()
  let takers: ((key: K | undefined) => void)[] = []
  let idlers: (() => void)[] = []
  let closed = false

  const idle = () => waiting.size === 0 && inHand.size === 0
  function tellIdle() {
    if (!idle()) return
    for (const told of idlers) told()
    idlers = []
  }
  function next(): K | undefined {
    for (const key of waiting) {
      waiting.delete(key)
      inHand.add(key)
      // Work that happens now makes a later request for it stale: whoever works asks again.
      delayed.get(key)?.timer.cancel()
      delayed.delete(key)
      return key
    }
    return undefined
  }
  function add(key: K) {
    if (closed) return
    if (inHand.has(key)) {
      again.add(key)
      return
    }
    waiting.add(key)
    if (takers.length > 0) takers.shift()!(next())
  }
  function addAfter(key: K, ms: number) {
    if (closed) return
    if (ms <= 0) return add(key)
    const due = clock.elapsed() + ms
    const before = delayed.get(key)
    if (before && before.due <= due) return
    before?.timer.cancel()
    const timer = clock.after(ms, () => {
      delayed.delete(key)
      add(key)
    })
    delayed.set(key, { due, timer })
  }

  return {
    add,
    addAfter,
    addFailed(key) {
      const count = failed.get(key) ?? 0
      failed.set(key, count + 1)
      const ms = Math.min(backOff * 2 ** Math.min(count, 40), backOffMax)
      addAfter(key, ms)
      return ms
    },
    forget: key => void failed.delete(key),
    failures: key => failed.get(key) ?? 0,
    take() {
      if (closed) return Promise.resolve(undefined)
      if (waiting.size > 0) return Promise.resolve(next())
      return new Promise(resolve => void takers.push(resolve))
    },
    done(key) {
      inHand.delete(key)
      if (again.delete(key)) add(key)
      tellIdle()
    },
    depth: () => waiting.size,
    idle,
    whenIdle: () => (idle() ? Promise.resolve() : new Promise(resolve => void idlers.push(resolve))),
    close() {
      closed = true
      for (const { timer } of delayed.values()) timer.cancel()
      delayed.clear()
      waiting.clear()
      for (const taker of takers) taker(undefined)
      takers = []
      tellIdle()
    },
  }
}
