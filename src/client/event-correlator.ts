/**
 * Decides what becomes of an event that was recorded: a new object, a higher count on one that stands, or nothing.
 * The limits are those of client-go's `tools/record` EventCorrelator: 25 events per source and object, then one every
 * 5 minutes; more than 10 different messages for one reason in 10 minutes are combined into one event.
 */
import { createHash } from 'node:crypto'
import { bucketsByKey } from '../lib/token-bucket.ts'

const RATE = { burst: 25, everyMs: 300_000 }
const COMBINE_ABOVE = 10
const COMBINE_WINDOW_MS = 600_000
/** Entries that each memory holds; the oldest go first. */
const REMEMBERED = 4096

/** What one call to the recorder says. */
export interface RecordedEvent {
  /** Identity of source and object. */
  readonly about: string
  readonly type: string
  readonly reason: string
  readonly message: string
}

/** An event that was written. */
export interface EventSeries {
  readonly name: string
  readonly firstSeen: number
  count: number
}

export type Correlation =
  | { readonly type: 'drop' }
  | { readonly type: 'create'; readonly message: string; readonly series: EventSeries }
  | { readonly type: 'count'; readonly message: string; readonly series: EventSeries }

export interface EventCorrelator {
  /** `name` makes the name of a new event. */
  correlate(event: RecordedEvent, now: number, name: () => string): Correlation
  /** The event of this series no longer exists: the next one is created anew. */
  forget(series: EventSeries): void
}

/** A map that forgets what was set longest ago. */
function boundedMap<V>() {
  const map = new Map<string, V>()
  return {
    get: (key: string) => map.get(key),
    set(key: string, value: V) {
      map.delete(key)
      map.set(key, value)
      if (map.size > REMEMBERED) for (const oldest of map.keys()) return void map.delete(oldest)
    },
    deleteValue(value: V) {
      for (const [key, each] of map) if (each === value) map.delete(key)
    },
  }
}

const digest = (text: string) => createHash('sha1').update(text).digest('base64')

/** Makes a correlator without memories. */
export function createEventCorrelator(): EventCorrelator {
  const admitted = bucketsByKey(RATE, REMEMBERED)
  const groups = boundedMap<{ messages: Set<string>; last: number }>()
  const seen = boundedMap<EventSeries>()

  /** The key under which equal events are counted, and the message that it has. */
  function group(event: RecordedEvent, now: number) {
    const key = JSON.stringify([event.about, event.type, event.reason])
    let known = groups.get(key)
    if (!known || now - known.last > COMBINE_WINDOW_MS) known = { messages: new Set(), last: now }
    const message = digest(event.message)
    // A set of eleven already says "too many": it need not grow.
    if (known.messages.size <= COMBINE_ABOVE) known.messages.add(message)
    known.last = now
    groups.set(key, known)
    if (known.messages.size <= COMBINE_ABOVE) return { key: `${key}${message}`, message: event.message }
    return { key, message: `(combined from similar events): ${event.message}` }
  }

  return {
    correlate(event, now, name) {
      const { key, message } = group(event, now)
      if (!admitted(event.about, now)) return { type: 'drop' }
      const known = seen.get(key)
      if (known) {
        known.count++
        seen.set(key, known)
        return { type: 'count', message, series: known }
      }
      const series: EventSeries = { name: name(), firstSeen: now, count: 1 }
      seen.set(key, series)
      return { type: 'create', message, series }
    },
    forget: series => seen.deleteValue(series),
  }
}
