/**
 * Records events of events.k8s.io/v1, in which what happens again and again is a series on one event (KEP-383): the
 * second time makes the series, and how long it went on is written when it has ended, or every half hour.
 */
import { rfc3339Micro } from '../api/machinery/time.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import type { Logger } from '../lib/log.ts'
import { type EventTarget, referenceTo } from './event-recorder.ts'
import { createEventWriter, eventNames } from './event-writer.ts'
import type { Transport } from './transport.ts'

export interface NewEvent {
  readonly regarding: EventTarget
  /** A second object that has a part in it. */
  readonly related?: EventTarget
  readonly type: 'Normal' | 'Warning'
  /** Why something was done, UpperCamelCase. */
  readonly reason: string
  /** What was done, UpperCamelCase. */
  readonly action: string
  readonly note: string
}

export interface SeriesRecorder {
  /** Never waits, never fails. */
  event(event: NewEvent): void
  /** Resolves when everything recorded so far was written or dropped. */
  flushed(): Promise<void>
}

export interface SeriesSource {
  /** `default-scheduler`. */
  readonly controller: string
  /** Which of them, e.g. `default-scheduler-host1`. */
  readonly instance: string
}

/** A series ends when nothing has come to it for this time, ms. */
const FINISH_MS = 6 * 60_000
/** One that goes on is written this often, ms. */
const REFRESH_MS = 30 * 60_000
/** Events that are remembered; the oldest are forgotten first. */
const REMEMBERED = 1024

interface Known {
  readonly path: string
  readonly body: Readonly<Record<string, unknown>> & { readonly metadata: { readonly name: string } }
  /** How often it came; more than once is a series. */
  count: number
  /** Of the last time, ms since the epoch and on the clock's `elapsed`. */
  last: number
  seen: number
  /** When and as how many it was last written. */
  written: number
  writtenCount: number
}

/** Makes a recorder, which writes until `signal` aborts. A timer runs only while there is a series. */
export function createSeriesRecorder(
  transport: Transport,
  source: SeriesSource,
  deps: { readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): SeriesRecorder {
  const { clock } = deps
  const writer = createEventWriter(transport, deps, signal)
  const nameOf = eventNames(clock)
  const known = new Map<string, Known>()
  const series = new Set<string>()
  let timer: Timer | undefined

  function write(key: string, event: Known) {
    const value = { count: event.count, lastObservedTime: rfc3339Micro(event.last) }
    const patch = event.count > 1 ? { series: value } : undefined
    event.written = clock.elapsed()
    event.writtenCount = event.count
    writer.write({
      path: event.path,
      name: event.body.metadata.name,
      body: { ...event.body, ...patch },
      patch,
      dropped() {
        if (known.get(key) === event) forget(key)
      },
    })
  }
  function forget(key: string) {
    known.delete(key)
    series.delete(key)
  }
  /** Writes what has ended, and what has gone on for long. */
  function look() {
    timer = undefined
    const now = clock.elapsed()
    for (const key of series) {
      const event = known.get(key)!
      const ended = now - event.seen >= FINISH_MS
      const isNews = event.count !== event.writtenCount
      if (isNews && (ended || now - event.written >= REFRESH_MS)) write(key, event)
      if (ended) forget(key)
    }
    arm()
  }
  function arm() {
    if (series.size === 0 || signal.aborted) return
    timer ??= clock.after(FINISH_MS, look)
  }
  signal.addEventListener('abort', () => timer?.cancel(), { once: true })

  function again(key: string, event: Known) {
    event.count++
    event.last = clock.now()
    event.seen = clock.elapsed()
    // Others tell of it when it has ended.
    if (event.count > 2) return
    write(key, event)
    series.add(key)
    arm()
  }

  return {
    event({ regarding, related, type, reason, action, note }) {
      if (signal.aborted) return
      const about = referenceTo(regarding)
      const beside = related && referenceTo(related)
      const key = JSON.stringify([type, action, reason, about, beside])
      const before = known.get(key)
      if (before && clock.elapsed() - before.seen < FINISH_MS) return again(key, before)
      const namespace = about.namespace || 'default'
      const now = clock.now()
      const body = {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name: nameOf(about.name), namespace },
        eventTime: rfc3339Micro(now),
        reportingController: source.controller,
        reportingInstance: source.instance,
        action,
        reason,
        regarding: about,
        ...(beside && { related: beside }),
        note,
        type,
      }
      const path = `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/events`
      const seen = clock.elapsed()
      const event = { path, body, count: 1, last: now, seen, written: seen, writtenCount: 1 }
      forget(key)
      known.set(key, event)
      if (known.size > REMEMBERED) forget(known.keys().next().value!)
      write(key, event)
    },
    flushed: writer.flushed,
  }
}
