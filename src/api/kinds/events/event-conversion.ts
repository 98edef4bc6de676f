/**
 * Events are kept as core/v1; events.k8s.io/v1 shows the same objects under other field names
 * (https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/).
 */
import type { Event as CoreEvent } from '../../generated/types/core-v1.ts'
import type { Event } from '../../generated/types/events-v1.ts'

/** events.k8s.io/v1 name → core/v1 name, where they differ. */
const NAMES: readonly (readonly [keyof Event, keyof CoreEvent])[] = [
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
]

function rename(object: object, apiVersion: string, from: 0 | 1): Record<string, unknown> {
  const renamed: Record<string, unknown> = { ...object, apiVersion }
  for (const names of NAMES) {
    const value = renamed[names[from]]
    delete renamed[names[from]]
    if (value !== undefined) renamed[names[1 - from]!] = value
  }
  return renamed
}

/** The event as it is kept. */
export function toCore(event: Event): CoreEvent {
  const core = rename(event, 'v1', 0) as unknown as CoreEvent
  core.involvedObject ??= {}
  return core
}

/** The event as events.k8s.io/v1 shows it. */
export const fromCore = (stored: CoreEvent): Event => rename(stored, 'events.k8s.io/v1', 1) as unknown as Event
