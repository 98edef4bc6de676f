import { Encoded } from '../../api/machinery/encoded.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import type { WatchEventType } from '../../client/transport.ts'
import type { ServerWatchEvent } from '../request.ts'

/** One change of one object, kept once for all watchers. */
export interface CacheEvent {
  readonly revision: number
  readonly namespace: string
  readonly name: string
  /** What stood there before; undefined for a create. */
  readonly previous: Encoded | undefined
  /** What stands there now; undefined for a delete. */
  readonly current: Encoded | undefined
  /** What is sent to watchers, by type; made when first asked for. */
  readonly sent: { ADDED?: ServerWatchEvent; MODIFIED?: ServerWatchEvent; DELETED?: ServerWatchEvent }
}

const FIELD = Buffer.from('"resourceVersion":"')
const QUOTE = 0x22

/** The same object with another resourceVersion: what a DELETED event carries. */
export function withRevision<T extends KubeObject>(object: Encoded<T>, revision: number): Encoded<T> {
  const from = object.bytes.indexOf(FIELD) + FIELD.length
  const to = object.bytes.indexOf(QUOTE, from)
  const digits = Buffer.from(String(revision))
  return new Encoded<T>(Buffer.concat([object.bytes.subarray(0, from), digits, object.bytes.subarray(to)]), revision)
}

/** The event as a watcher of that type sees it. */
export function sentAs(event: CacheEvent, type: 'ADDED' | 'MODIFIED' | 'DELETED'): ServerWatchEvent {
  return (event.sent[type] ??= {
    type,
    object: type === 'DELETED' ? withRevision(event.previous!, event.revision) : event.current!,
  })
}

/** What a change is to a watcher that sees only some objects. undefined: nothing. */
export function transition(before: boolean, after: boolean): Exclude<WatchEventType, 'BOOKMARK' | 'ERROR'> | undefined {
  if (after) return before ? 'MODIFIED' : 'ADDED'
  return before ? 'DELETED' : undefined
}

/** The newest events of a kind, in revision order. */
export interface EventRing {
  push(event: CacheEvent): void
  /** A watch from this revision, or a later one, misses nothing. */
  oldest(): number
  /** Events after `revision`, which is not before `oldest()`. */
  after(revision: number): readonly CacheEvent[]
}

/** Memory of an object by its JSON: the bytes, and the parsed form, which most of them get from some reader. */
const PARSED = 3

/**
 * Makes a ring that begins at `start`. It keeps at most `maxEvents` events and about `maxBytes` of objects that nobody
 * else holds (every kind has a ring, so this is little); the newest event is always kept.
 */
export function eventRing(start: number, maxEvents = 10_000, maxBytes = 8 << 20): EventRing {
  let events: CacheEvent[] = []
  let head = 0
  let bytes = 0
  let oldest = start

  // A deletion holds what stood there, and the same with the last revision, which is what watchers are sent.
  const cost = ({ previous, current }: CacheEvent) => (previous?.bytes.length ?? 0) * PARSED * (current ? 1 : 2) + 200

  return {
    push(event) {
      events.push(event)
      bytes += cost(event)
      while (events.length - head > 1 && (events.length - head > maxEvents || bytes > maxBytes)) {
        const dropped = events[head]!
        bytes -= cost(dropped)
        oldest = dropped.revision
        head++
      }
      if (head > 1024 && head * 2 > events.length) {
        events = events.slice(head)
        head = 0
      }
    },
    oldest: () => oldest,
    after(revision) {
      let low = head
      let high = events.length
      while (low < high) {
        const middle = (low + high) >> 1
        if (events[middle]!.revision > revision) high = middle
        else low = middle + 1
      }
      return events.slice(low)
    },
  }
}
