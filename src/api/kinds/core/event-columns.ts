/** The columns of `kubectl get events`, and the fields that events are selected by. */
import type { Event } from '../../generated/types/core-v1.ts'
import type { Column } from '../../machinery/kind.ts'
import { age, nameColumn, text, wide } from '../columns.ts'

const firstSeen = (event: Event, now: number) => age(event.firstTimestamp ?? event.eventTime, now)

const lastSeen = (event: Event, now: number) => {
  if (event.series) return age(event.series.lastObservedTime, now)
  return event.lastTimestamp ? age(event.lastTimestamp, now) : firstSeen(event, now)
}

function target({ involvedObject: about }: Event): string {
  const kind = about?.kind?.toLowerCase() ?? ''
  return about?.name ? `${kind}/${about.name}` : kind
}

function source(event: Event): string {
  const component = event.source?.component || event.reportingComponent || ''
  const instance = event.source?.host || event.reportingInstance
  return instance ? `${component}, ${instance}` : component
}

export const eventColumns: readonly Column<Event>[] = [
  text('Last Seen', lastSeen),
  text('Type', event => event.type ?? ''),
  text('Reason', event => event.reason ?? ''),
  text('Object', target),
  wide('Subobject', event => event.involvedObject?.fieldPath ?? ''),
  wide('Source', source),
  text('Message', event => event.message?.trim() ?? ''),
  wide('First Seen', firstSeen),
  wide('Count', event => event.series?.count ?? (event.count || 1)),
  { ...nameColumn, priority: 1 },
]

export const eventSelectors: Readonly<Record<string, (event: Event) => string>> = {
  'involvedObject.kind': ({ involvedObject }) => involvedObject?.kind ?? '',
  'involvedObject.namespace': ({ involvedObject }) => involvedObject?.namespace ?? '',
  'involvedObject.name': ({ involvedObject }) => involvedObject?.name ?? '',
  'involvedObject.uid': ({ involvedObject }) => involvedObject?.uid ?? '',
  'involvedObject.apiVersion': ({ involvedObject }) => involvedObject?.apiVersion ?? '',
  'involvedObject.resourceVersion': ({ involvedObject }) => involvedObject?.resourceVersion ?? '',
  'involvedObject.fieldPath': ({ involvedObject }) => involvedObject?.fieldPath ?? '',
  reason: ({ reason }) => reason ?? '',
  reportingComponent: ({ reportingComponent }) => reportingComponent ?? '',
  source: ({ source, reportingComponent }) => source?.component || (reportingComponent ?? ''),
  type: ({ type }) => type ?? '',
}
