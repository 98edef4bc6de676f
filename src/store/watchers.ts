/**
 * Who watches, and the one place where events are handed out. A commit made from inside a handler is published after
 * the batch that is being handed out, so that everyone sees one order.
 */
import type { StoreEvent, WatchOptions } from './store.ts'

export interface Watchers {
  /** Hands `replay` to a new watcher and then whatever is published after `upTo`. Returns its end. */
  add(options: WatchOptions, replay: readonly StoreEvent[], upTo: number): () => void
  /** Hands out events of whole revisions, in order. */
  publish(events: readonly StoreEvent[]): void
  /** Ends all of them with an error. */
  fail(error: Error): void
  clear(): void
}

interface Watcher {
  readonly options: WatchOptions
  /** It has seen everything up to here. */
  seen: number
}

/** The events of `events` that concern `watcher`; the same array when all do. */
function concerning(events: readonly StoreEvent[], { options: { prefix }, seen }: Watcher): readonly StoreEvent[] {
  const concerns = (event: StoreEvent) => event.revision > seen && event.key.startsWith(prefix)
  return events.every(concerns) ? events : events.filter(concerns)
}

/** Makes one without watchers. */
export function createWatchers(): Watchers {
  const watchers = new Set<Watcher>()
  const waiting: (readonly StoreEvent[])[] = []
  let publishing = false

  function handOut(events: readonly StoreEvent[]) {
    const last = events.at(-1)!.revision
    for (const watcher of watchers) {
      if (watcher.seen >= last) continue
      const own = concerning(events, watcher)
      watcher.seen = last
      if (own.length > 0) watcher.options.onEvents(own)
    }
  }

  return {
    add(options, replay, upTo) {
      const watcher: Watcher = { options, seen: upTo }
      watchers.add(watcher)
      if (replay.length > 0) options.onEvents(replay)
      return () => watchers.delete(watcher)
    },
    publish(events) {
      if (events.length === 0) return
      waiting.push(events)
      if (publishing) return
      publishing = true
      try {
        for (let batch = waiting.shift(); batch; batch = waiting.shift()) handOut(batch)
      } finally {
        publishing = false
      }
    },
    fail(error) {
      const ended = [...watchers]
      watchers.clear()
      for (const { options } of ended) options.onError?.(error)
    },
    clear: () => watchers.clear(),
  }
}
