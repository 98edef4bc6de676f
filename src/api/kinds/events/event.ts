import type { Event as Type } from '../../generated/types/events-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn } from '../columns.ts'

/** events/v1 Event. */
export type EventsEvent = Type

export const EventsEvent = defineKind<EventsEvent>({
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  shortNames: ['ev'],
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.events.v1.Event',
  durability: 'relaxed',
  columns: [nameColumn, ageColumn],
})
