import type { PriorityClass as Type } from '../../generated/types/scheduling-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, count, flag, nameColumn, text } from '../columns.ts'

/** scheduling/v1 PriorityClass. */
export type PriorityClass = Type

export const PriorityClass = defineKind<PriorityClass>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  singular: 'priorityclass',
  shortNames: ['pc'],
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.scheduling.v1.PriorityClass',
  generation: true,
  defaults(priorityClass) {
    priorityClass.preemptionPolicy ??= 'PreemptLowerPriority'
  },
  columns: [
    nameColumn,
    count('Value', ({ value }) => value),
    flag('Global-Default', ({ globalDefault }) => globalDefault),
    ageColumn,
    text('PreemptionPolicy', ({ preemptionPolicy }) => preemptionPolicy ?? ''),
  ],
})
