import type { PriorityClass as Type } from '../../generated/types/scheduling-v1.ts'
import { forbidden } from '../../machinery/field-error.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, count, flag, nameColumn, text } from '../columns.ts'
import type { Errors } from '../rules.ts'
import { check, checkEnum, immutable, when } from '../rules.ts'
import { SYSTEM_PRIORITIES } from './system-priorities.ts'

/** scheduling/v1 PriorityClass. */
export type PriorityClass = Type

const SYSTEM: Readonly<Record<string, number>> = SYSTEM_PRIORITIES
const HIGHEST_OF_USERS = 1_000_000_000
const POLICIES = ['PreemptLowerPriority', 'Never']

function checkValue({ metadata, value = 0, globalDefault }: PriorityClass, errors: Errors): void {
  const name = metadata?.name ?? ''
  if (!name.startsWith('system-')) {
    if (value > HIGHEST_OF_USERS) {
      errors.push(forbidden('value', `maximum allowed value of a user defined priority is ${HIGHEST_OF_USERS}`))
    }
    return
  }
  const reserved = "priority class names with 'system-' prefix are reserved for system use only. error: "
  const known = Object.hasOwn(SYSTEM, name) ? SYSTEM[name] : undefined
  if (known === undefined)
    errors.push(forbidden('metadata.name', `${reserved}${name} is not a known system priority class`))
  else if (value !== known) {
    errors.push(forbidden('metadata.name', `${reserved}value of ${name} PriorityClass must be ${known}`))
  } else if (globalDefault) {
    errors.push(forbidden('metadata.name', `${reserved}globalDefault of ${name} PriorityClass must be false`))
  }
}

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
  generation: 'first',
  defaults(priorityClass) {
    priorityClass.preemptionPolicy ??= 'PreemptLowerPriority'
  },
  rules: [
    when<PriorityClass>(
      (_next, old) => old === undefined,
      check(checkValue),
      check<PriorityClass>(({ preemptionPolicy }, errors) => {
        checkEnum(preemptionPolicy, POLICIES, 'preemptionPolicy', errors)
      }),
    ),
    check(({ value }, errors, old) => {
      if (old && (value ?? 0) !== (old.value ?? 0)) errors.push(forbidden('value', 'may not be changed in an update.'))
    }),
    immutable('preemptionPolicy'),
  ],
  columns: [
    nameColumn,
    count('Value', ({ value }) => value),
    flag('Global-Default', ({ globalDefault }) => globalDefault),
    ageColumn,
    text('PreemptionPolicy', ({ preemptionPolicy }) => preemptionPolicy ?? ''),
  ],
})
