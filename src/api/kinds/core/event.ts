import type { Event as Type } from '../../generated/types/core-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { eventRules } from './event.validate.ts'
import { eventColumns, eventSelectors } from './event-columns.ts'

/** core/v1 Event. */
export type Event = Type

export const Event = defineKind<Event>({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  shortNames: ['ev'],
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.core.v1.Event',
  durability: 'relaxed',
  nameFormat: 'path',
  selectable: eventSelectors,
  rules: eventRules,
  columns: eventColumns,
})
