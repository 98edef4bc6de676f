/**
 * The window of recent changes, from which watches are replayed and snapshots of the past are made. Whole revisions
 * leave it, oldest first, when it is beyond one of its bounds.
 */
import type { Clock } from '../lib/clock.ts'

/** How much of the past an engine keeps. What exceeds any of them is forgotten. */
export interface HistoryLimits {
  /** Changes. */
  readonly events: number
  /** Bytes of values that only the window still holds. */
  readonly bytes: number
  /** Milliseconds; looked at when something is written. */
  readonly age: number
}

/** As long as clients of Kubernetes are used to: the suite waits for a continue token to expire within ten minutes. */
export const defaultHistory: HistoryLimits = { events: 20_000, bytes: 64 * 2 ** 20, age: 5 * 60_000 }

export interface Change<E> {
  readonly revision: number
  readonly key: string
  /** What stands there since; undefined after a delete. */
  readonly current: E | undefined
  readonly previous: E | undefined
  /** Where an engine keeps it, if it keeps it somewhere. */
  readonly id?: number
}

export interface History<E> {
  /** Changes since it can tell. */
  compacted(): number
  /** Every change after `revision`, in order. */
  after(revision: number): readonly Change<E>[]
  /** Takes in the changes of one revision. Returns what was forgotten for it. */
  push(changes: readonly Change<E>[]): readonly Change<E>[]
  /** Forgets the changes up to `revision` and returns them. */
  compact(revision: number): readonly Change<E>[]
}

interface Deps<E> {
  readonly clock: Clock
  readonly limits: HistoryLimits
  /** Bytes of an entry's value. */
  sizeOf(entry: E): number
}

/** Makes one that is empty at revision `start`. */
export function createHistory<E>({ clock, limits, sizeOf }: Deps<E>, start: number): History<E> {
  let changes: Change<E>[] = []
  let times: number[] = []
  /** Everything before it is forgotten; the arrays are cut when half of them is. */
  let head = 0
  let bytes = 0
  let compacted = start

  const heldBy = (change: Change<E>) => (change.previous ? sizeOf(change.previous) : 0)

  function indexAfter(revision: number): number {
    let low = head
    let high = changes.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (changes[middle]!.revision <= revision) low = middle + 1
      else high = middle
    }
    return low
  }

  function compact(revision: number): readonly Change<E>[] {
    if (revision <= compacted) return []
    const end = indexAfter(revision)
    const dropped = changes.slice(head, end)
    for (const change of dropped) bytes -= heldBy(change)
    head = end
    compacted = revision
    if (head > 1024 && head * 2 > changes.length) {
      changes = changes.slice(head)
      times = times.slice(head)
      head = 0
    }
    return dropped
  }

  const exceeded = (now: number) =>
    changes.length - head > limits.events || bytes > limits.bytes || now - times[head]! > limits.age

  return {
    compacted: () => compacted,
    after: revision => changes.slice(indexAfter(revision)),
    push(added) {
      const now = clock.now()
      for (const change of added) {
        changes.push(change)
        times.push(now)
        bytes += heldBy(change)
      }
      let upTo = compacted
      const newest = changes.at(-1)?.revision
      const dropped: Change<E>[] = []
      while (head < changes.length && exceeded(now) && (upTo = changes[head]!.revision) !== newest) {
        dropped.push(...compact(upTo))
      }
      return dropped
    },
    compact,
  }
}
