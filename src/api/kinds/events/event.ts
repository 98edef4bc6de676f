import type { Event as Type } from '../../generated/types/events-v1.ts'
import { ALL_VERBS, defineKind, kindKey } from '../../machinery/kind.ts'
import type { Event as CoreEvent } from '../core/event.ts'
import { checkEvent, checkStrict } from '../core/event.validate.ts'
import { eventColumns } from '../core/event-columns.ts'
import { check } from '../rules.ts'
import { fromCore, toCore } from './event-conversion.ts'

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
  storage: {
    kind: kindKey('', 'v1', 'events'),
    encode: toCore,
    decode: stored => fromCore(stored as CoreEvent),
  },
  selectable: {
    reason: ({ reason }) => reason ?? '',
    'regarding.kind': ({ regarding }) => regarding?.kind ?? '',
    'regarding.namespace': ({ regarding }) => regarding?.namespace ?? '',
    'regarding.name': ({ regarding }) => regarding?.name ?? '',
    'regarding.uid': ({ regarding }) => regarding?.uid ?? '',
    'regarding.apiVersion': ({ regarding }) => regarding?.apiVersion ?? '',
    'regarding.resourceVersion': ({ regarding }) => regarding?.resourceVersion ?? '',
    'regarding.fieldPath': ({ regarding }) => regarding?.fieldPath ?? '',
    reportingController: ({ reportingController }) => reportingController ?? '',
    type: ({ type }) => type ?? '',
  },
  rules: [
    check((event, errors, old) => {
      const core = toCore(event)
      checkEvent(core, 'reportingController', errors)
      checkStrict(core, old && toCore(old), errors)
    }),
  ],
  columns: eventColumns.map(column => ({ ...column, cell: (event, now) => column.cell(toCore(event), now) })),
})
