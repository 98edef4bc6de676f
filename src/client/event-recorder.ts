/**
 * Records what happens to objects as core/v1 Events, which `kubectl describe` shows. Recording never waits and never
 * fails: events are written one after the other in the background, and dropped when the API server refuses them.
 */
import type { KubeObject } from '../api/machinery/object.ts'
import { rfc3339 } from '../api/machinery/time.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/log.ts'
import { createEventCorrelator } from './event-correlator.ts'
import { createEventWriter, eventNames } from './event-writer.ts'
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
  /** `deployment-controller`, `kubelet`: source.component and reportingComponent. */
  readonly component: string
  /** The node, for components that run on one. */
  readonly host?: string
}

/** core/v1 ObjectReference of what an event is about. */
export function referenceTo({ kind, apiVersion, metadata, fieldPath }: EventTarget) {
  const { name = '', namespace, uid, resourceVersion } = metadata ?? {}
  return {
    kind,
    apiVersion,
    name,
    ...(namespace && { namespace }),
    ...(uid && { uid }),
    ...(resourceVersion && { resourceVersion }),
    ...(fieldPath && { fieldPath }),
  }
}

/** Makes a recorder, which writes until `signal` aborts. */
export function createEventRecorder(
  transport: Transport,
  source: EventSource,
  deps: { readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): EventRecorder {
  const correlator = createEventCorrelator()
  const writer = createEventWriter(transport, deps, signal)
  const nameOf = eventNames(deps.clock)

  return {
    event(target, type, reason, message) {
      if (signal.aborted) return
      const now = deps.clock.now()
      const { name = '', namespace, uid } = target.metadata ?? {}
      const about = JSON.stringify([target.kind, namespace, name, uid, target.fieldPath])
      const outcome = correlator.correlate({ about, type, reason, message }, now, () => nameOf(name))
      if (outcome.type === 'drop') return
      const { series } = outcome
      const eventNamespace = namespace || 'default'
      const body = {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: series.name, namespace: eventNamespace },
        involvedObject: referenceTo(target),
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
      writer.write({
        path: `/api/v1/namespaces/${encodeURIComponent(eventNamespace)}/events`,
        name: series.name,
        body,
        patch:
          outcome.type === 'count'
            ? { count: series.count, lastTimestamp: body.lastTimestamp, message: outcome.message }
            : undefined,
        dropped: () => correlator.forget(series),
      })
    },
    flushed: writer.flushed,
  }
}
