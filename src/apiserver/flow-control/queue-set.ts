/**
 * The queues of a priority level. Flows that wait are served by fair queueing: each queue has a clock of its own that
 * runs with the seconds of seats it was given, and the queue whose clock is furthest behind comes next.
 */
import { dealHand } from './shuffle.ts'

/** A request that waits. */
export interface Waiting {
  /** Seats that it takes. */
  readonly width: number
  readonly since: number
  start(): void
}

interface Queue {
  readonly waiting: Waiting[]
  /** Seconds of seats that this queue has had. */
  virtual: number
}

export interface QueueLimits {
  readonly queues: number
  readonly handSize: number
  readonly queueLengthLimit: number
}

/** A place in a queue; also what is charged when the request is done. */
export interface Place {
  readonly queue: Queue
}

export interface QueueSet {
  readonly length: number
  /** The shortest queue of the flow's hand; undefined: that one is full. */
  enqueue(flow: string, request: Waiting): Place | undefined
  /** Takes the next request out that `fits`; undefined: none waits, or the next one does not fit. */
  next(fits: (width: number) => boolean): Waiting | undefined
  /** The request has gone or waited too long. False: it is not waiting any more. */
  remove(place: Place, request: Waiting): boolean
  /** A request that this queue was served took so many seconds of seats. */
  charge(place: Place, seatSeconds: number): void
}

/** What a request is thought to take before it is known, in seconds. */
const ESTIMATE = 0.003
/** What it takes at the least: nobody's turn is free. */
const LEAST = 0.0005
/** Hands that are remembered. */
const HANDS = 4096

/** Makes the queues. */
export function createQueueSet({ queues, handSize, queueLengthLimit }: QueueLimits): QueueSet {
  const all: Queue[] = Array.from({ length: queues }, () => ({ waiting: [], virtual: 0 }))
  const busy = new Set<Queue>()
  const hands = new Map<string, readonly number[]>()
  /** Where the clocks of the queues that are served stand: one that has waited for nobody begins here. */
  let now = 0
  let length = 0

  function handOf(flow: string): readonly number[] {
    let hand = hands.get(flow)
    if (hand) return hand
    if (hands.size >= HANDS) hands.clear()
    hands.set(flow, (hand = dealHand(flow, queues, handSize)))
    return hand
  }
  function drop(queue: Queue, at: number) {
    queue.waiting.splice(at, 1)
    length--
    if (queue.waiting.length === 0) busy.delete(queue)
  }

  return {
    get length() {
      return length
    },
    enqueue(flow, request) {
      let queue: Queue | undefined
      for (const index of handOf(flow)) {
        const each = all[index]!
        if (!queue || each.waiting.length < queue.waiting.length) queue = each
      }
      if (!queue || queue.waiting.length >= queueLengthLimit) return undefined
      if (queue.waiting.length === 0) {
        queue.virtual = Math.max(queue.virtual, now)
        busy.add(queue)
      }
      queue.waiting.push(request)
      length++
      return { queue }
    },
    next(fits) {
      let best: Queue | undefined
      for (const queue of busy) if (!best || queue.virtual < best.virtual) best = queue
      const request = best?.waiting[0]
      if (!best || !request || !fits(request.width)) return undefined
      now = Math.max(now, best.virtual)
      best.virtual += request.width * ESTIMATE
      drop(best, 0)
      return request
    },
    remove({ queue }, request) {
      const at = queue.waiting.indexOf(request)
      if (at >= 0) drop(queue, at)
      return at >= 0
    },
    charge({ queue }, seatSeconds) {
      queue.virtual = Math.max(queue.virtual + seatSeconds, 0)
    },
  }
}

/** The correction once it is known how long a request really took. */
export const correction = (width: number, seconds: number) => width * (Math.max(seconds, LEAST) - ESTIMATE)
