/**
 * EventRateLimit: refuses events that come faster than they may, by server, namespace, user, or source and
 * object. Kubernetes counts events of the core group alone; here those of events.k8s.io, which are the same objects,
 * count too.
 */

import type { EventSource } from '../../api/generated/types/core-v1.ts'
import type { Event } from '../../api/kinds/core/event.ts'
import type { EventsEvent } from '../../api/kinds/events/event.ts'
import { tooManyRequests } from '../../api/machinery/status-error.ts'
import type { Clock } from '../../lib/clock.ts'
import { bucketsByKey } from '../../lib/token-bucket.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.ts'

export const LIMIT_TYPES = ['Server', 'Namespace', 'User', 'SourceAndObject'] as const

/** eventratelimit.admission.k8s.io/v1alpha1 Limit. */
export interface EventLimit {
  readonly type: (typeof LIMIT_TYPES)[number]
  /** Events a second in the long run. */
  readonly qps: number
  /** Events at once, after a pause. */
  readonly burst: number
  /** Namespaces, users or sources that are counted at one time. Default 4096. */
  readonly cacheSize?: number
}

const CACHE_SIZE = 4096
const KINDS = new Set(['v1/events', 'events.k8s.io/v1/events'])

function sourceAndObject(object: AdmissionAttributes['object']): string {
  const { source, involvedObject } = object as Event
  const { regarding, deprecatedSource, reportingController } = object as EventsEvent
  const about = involvedObject ?? regarding ?? {}
  const by: EventSource = source ?? deprecatedSource ?? { component: reportingController ?? '' }
  const { kind, namespace, name, uid, apiVersion } = about
  return [by.component, by.host, kind, namespace, name, uid, apiVersion].map(each => each ?? '').join('')
}

const KEYS: Readonly<Record<EventLimit['type'], (request: AdmissionAttributes) => string>> = {
  Server: () => '',
  Namespace: ({ namespace }) => namespace,
  User: ({ user }) => user.name,
  SourceAndObject: ({ object }) => sourceAndObject(object),
}

/** Makes the plugin. */
export function eventRateLimit(limits: readonly EventLimit[], clock: Clock): AdmissionPlugin {
  const enforcers = limits.map(({ type, qps, burst, cacheSize }) => ({
    type,
    take: bucketsByKey({ everyMs: 1000 / qps, burst }, cacheSize || CACHE_SIZE),
    keyOf: KEYS[type],
  }))
  return {
    name: 'EventRateLimit',
    handles: ({ kind, operation, dryRun }) =>
      KINDS.has(kind.key) && !dryRun && (operation === 'CREATE' || operation === 'UPDATE'),
    validate(request) {
      // Every limit counts every event, whatever the others say.
      const reached = enforcers.flatMap(({ type, take, keyOf }) => {
        const key = keyOf(request)
        return take(key, clock.elapsed()) ? [] : [`limit reached on type ${type} for key ${key}`]
      })
      if (reached.length) throw tooManyRequests(0, reached.length === 1 ? reached[0] : `[${reached.join(', ')}]`)
    },
  }
}
