import type { Encoded } from '../../api/machinery/encoded.ts'
import type { ServerWatchEvent } from '../request.ts'
import { type CacheEvent, sentAs, transition } from './event-ring.ts'

/** What a watcher sees. */
export interface WatchScope {
  /** '' is every namespace. */
  readonly namespace: string
  /** '' is every name. */
  readonly name: string
  /** Further conditions, on the parsed object. */
  readonly matches?: (object: Encoded) => boolean
}

/** One watch of one kind: a queue that the cache fills and one reader empties. */
export interface Watcher {
  readonly scope: WatchScope
  /** Takes a change, if it concerns this watcher. */
  offer(event: CacheEvent): void
  /** Puts events at the end as they are. */
  push(events: readonly ServerWatchEvent[]): void
  /** Ends the watch once what is queued was read. */
  end(): void
  /** Calls `fn` when the watch has ended, for whatever reason; at once when it has. */
  onEnd(fn: () => void): void
  /** Batches of everything that came since the last one. Returning early ends the watch. */
  readonly events: AsyncIterable<readonly ServerWatchEvent[]>
}

export interface WatcherOptions {
  readonly scope: WatchScope
  /** Events that may wait for the reader; one more cuts the watcher off. */
  readonly limit: number
  /** Puts waking the reader off, so that events close together come in one batch; default: at once. */
  readonly defer?: (wake: () => void) => void
  onEnd(): void
}

const inScope = (scope: WatchScope, object: Encoded | undefined) =>
  object !== undefined && (!scope.matches || scope.matches(object))

/** Makes a watcher. */
export function createWatcher(options: WatcherOptions): Watcher {
  const { scope } = options
  let queue: ServerWatchEvent[] = []
  let ended = false
  /** Events that may wait: the limit, and what was put in by `push` (the state at the start may be large). */
  let room = options.limit
  const endings = [options.onEnd]
  let wake: (() => void) | undefined

  function signal() {
    const resume = wake
    if (!resume) return
    wake = undefined
    if (options.defer && !ended) options.defer(resume)
    else resume()
  }
  function add(event: ServerWatchEvent) {
    queue.push(event)
    signal()
  }
  function end() {
    if (ended) return
    ended = true
    signal()
    for (const fn of endings) fn()
  }
  async function* read() {
    try {
      for (;;) {
        if (queue.length === 0) {
          if (ended) return
          await new Promise<void>(resolve => {
            wake = resolve
          })
          continue
        }
        const batch = queue
        queue = []
        room = options.limit
        yield batch
      }
    } finally {
      end()
    }
  }

  return {
    scope,
    offer(event) {
      if (ended) return
      if (scope.namespace && event.namespace !== scope.namespace) return
      if (scope.name && event.name !== scope.name) return
      const type = transition(inScope(scope, event.previous), inScope(scope, event.current))
      if (!type) return
      if (queue.length >= room) return end()
      add(sentAs(event, type))
    },
    push(events) {
      if (ended) return
      room += events.length
      for (const event of events) add(event)
    },
    end,
    onEnd(fn) {
      if (ended) fn()
      else endings.push(fn)
    },
    events: read(),
  }
}
