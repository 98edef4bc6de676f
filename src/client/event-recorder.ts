/**
 * Records what happens to objects as core/v1 Events, which `kubectl describe` shows. Recording never waits and never
 * fails: events are written one after the other in the background, and dropped when the API server refuses them.
 */
import type { KubeObject } from '../api/machinery/object.ts'
import { StatusError } from '../api/machinery/status-error.ts'
import { rfc3339 } from '../api/machinery/time.ts'
import { type Clock, sleep } from '../lib/clock.ts'
import type { Logger } from '../lib/log.ts'
import { hasReason, send } from './client.ts'
import { createEventCorrelator, type EventSeries } from './event-correlator.ts'
import type { Transport } from './transport.ts'

/** What an event is about. Objects from caches and answers have apiVersion and kind. */
export interface EventTarget extends KubeObject {
  /** A part of the object, such as `spec.containers{web}`. */
  readonly fieldPath?: string
}

export interface EventRecorder {
  /** Records `reason` (UpperCamelCase) and a sentence about `target`. */
  event(target: EventTarget, type: 'Normal' | 'Warning', reason: string, message: string): void
  /** Resolves when everything recorded so far was written or dropped. */
  flushed(): Promise<void>
}

export interface EventSource {
  /** `deployment-controller`, `default-scheduler`, `kubelet`: source.component and reportingComponent. */
  readonly component: string
  /** The node, for components that run on one. */
  readonly host?: string
}

interface Writing {
  readonly path: string
  readonly series: EventSeries
  readonly body: Record<string, unknown>
  readonly patch: Record<string, unknown> | undefined
}

/** Tries per event, and the wait between them, when the API server cannot be reached. */
const TRIES = 12
const RETRY_MS = 10_000
/** Events that may wait; further ones are dropped. */
const PENDING = 1000

/** Makes a recorder, which writes until `signal` aborts. */
export function createEventRecorder(
  transport: Transport,
  source: EventSource,
  deps: { readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): EventRecorder {
  const correlator = createEventCorrelator()
  let serial = 0
  let pending = 0
  let tail: Promise<void> = Promise.resolve()

  /** As upstream: the object's name and the time in nanoseconds, in hexadecimal. */
  const nameFor = (name: string) =>
    `${name}.${(BigInt(Math.floor(deps.clock.now())) * 1_000_000n + BigInt(serial++ % 1_000_000)).toString(16)}`

  async function write({ path, series, body, patch }: Writing) {
    if (patch) {
      try {
        await send(transport, {
          method: 'PATCH',
          path: `${path}/${encodeURIComponent(series.name)}`,
          contentType: 'application/strategic-merge-patch+json',
          body: patch,
        })
        return
      } catch (error) {
        // It was deleted (they expire): begin again.
        if (!hasReason(error, 'NotFound')) throw error
      }
    }
    await send(transport, { method: 'POST', path, body: structuredClone(body) })
  }
  async function writeOrDrop(writing: Writing) {
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        return await write(writing)
      } catch (error) {
        const refused = error instanceof StatusError && error.code < 500 && error.code !== 429
        if (refused || attempt === TRIES) {
          correlator.forget(writing.series)
          // A namespace that is being deleted takes no events; that is no news.
          if (!hasReason(error, 'Forbidden', 'NotFound')) {
            deps.logger.warn({ err: error, reason: writing.body.reason }, 'an event could not be written')
          }
          return
        }
        await sleep(deps.clock, RETRY_MS, signal)
      }
    }
  }

  return {
    event(target, type, reason, message) {
      if (signal.aborted || pending >= PENDING) return
      const now = deps.clock.now()
      const { name = '', namespace, uid, resourceVersion } = target.metadata ?? {}
      const involvedObject = {
        kind: target.kind,
        apiVersion: target.apiVersion,
        name,
        ...(namespace && { namespace }),
        ...(uid && { uid }),
        ...(resourceVersion && { resourceVersion }),
        ...(target.fieldPath && { fieldPath: target.fieldPath }),
      }
      const about = JSON.stringify([target.kind, namespace, name, uid, target.fieldPath])
      const outcome = correlator.correlate({ about, type, reason, message }, now, () => nameFor(name))
      if (outcome.type === 'drop') return
      const { series } = outcome
      const eventNamespace = namespace || 'default'
      const body = {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: series.name, namespace: eventNamespace },
        involvedObject,
        reason,
        message: outcome.message,
        source: { component: source.component, ...(source.host && { host: source.host }) },
        firstTimestamp: rfc3339(series.firstSeen),
        lastTimestamp: rfc3339(now),
        count: series.count,
        type,
        reportingComponent: source.component,
        reportingInstance: source.host ?? '',
      }
      const patch =
        outcome.type === 'count'
          ? { count: series.count, lastTimestamp: body.lastTimestamp, message: outcome.message }
          : undefined
      const path = `/api/v1/namespaces/${encodeURIComponent(eventNamespace)}/events`
      pending++
      tail = tail
        .then(() => writeOrDrop({ path, series, body, patch }))
        .finally(() => {
          pending--
        })
    },
    flushed: () => tail,
  }
}
