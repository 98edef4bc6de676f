/** Gives seats to requests, and keeps those waiting that find none. */
import type { Clock, Timer } from '../../lib/clock.ts'
import type { Flow } from './flow-schema.ts'
import { hasRoom, type Level } from './level.ts'
import { correction, type Place, type Waiting } from './queue-set.ts'

/** Why a request was sent away. */
export type Refusal = 'queue-full' | 'concurrency-limit' | 'time-out' | 'cancelled'

/** Gives the seats back. Once. */
export type Release = () => void

export interface Seats {
  /** A seat at once; undefined: there is none free, or others wait. */
  take(level: Level, width: number): Release | undefined
  /** Waits for a seat. `flow` and `distinguisher` say whose turn it is. */
  wait(level: Level, flow: Flow, distinguisher: string, width: number, signal: AbortSignal): Promise<Release | Refusal>
}

/** As upstream: a quarter of the minute that a request has. */
const PATIENCE = 15_000

/** Makes the one giver of seats of a server. `levels` are all that share them. */
export function createSeats(clock: Clock, levels: () => Iterable<Level>): Seats {
  /** Requests that wait, in all levels. */
  let waiting = 0

  function occupy(level: Level, width: number, done?: (seconds: number) => void): Release {
    level.seats += width
    level.executing++
    const began = done ? clock.elapsed() : 0
    let held = true
    return () => {
      if (!held) return
      held = false
      level.seats -= width
      level.executing--
      done?.((clock.elapsed() - began) / 1000)
      if (waiting) serve(level)
    }
  }

  /** Starts what can start: in the level that got a seat back, then where seats are borrowed. */
  function serve(first: Level) {
    serveLevel(first)
    for (const level of levels()) if (level !== first && waiting) serveLevel(level)
  }
  function serveLevel(level: Level) {
    const { queues } = level
    if (!queues) return
    for (;;) {
      const request = queues.next(width => hasRoom(level, width, levels()))
      if (!request) return
      waiting--
      request.start()
    }
  }

  return {
    take(level, width) {
      if (level.queues?.length) return undefined
      return hasRoom(level, width, levels()) ? occupy(level, width) : undefined
    },
    wait(level, flow, distinguisher, width, signal) {
      const { queues } = level
      if (!queues) return Promise.resolve('concurrency-limit')
      return new Promise(resolve => {
        let place: Place | undefined
        let timer: Timer | undefined
        const request: Waiting = {
          width,
          since: clock.elapsed(),
          start() {
            settle(occupy(level, width, seconds => queues.charge(place!, correction(width, seconds))))
          },
        }
        function settle(result: Release | Refusal) {
          timer?.cancel()
          signal.removeEventListener('abort', gone)
          resolve(result)
        }
        function leave(why: Refusal) {
          if (!place || !queues!.remove(place, request)) return
          waiting--
          settle(why)
        }
        const gone = () => leave('cancelled')
        place = queues.enqueue(`${flow.name}/${distinguisher}`, request)
        if (!place) return resolve('queue-full')
        waiting++
        timer = clock.after(PATIENCE, () => leave('time-out'))
        if (signal.aborted) gone()
        else signal.addEventListener('abort', gone)
        // The queue may have been empty, and a seat free for one that is less wide.
        serveLevel(level)
      })
    },
  }
}
