/** Rules of Event, for both of its groups (k8s.io/kubernetes `pkg/apis/core/validation/events.go`). */
import type { Event as CoreEvent } from '../../generated/types/core-v1.ts'
import { invalid, required } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import type { Errors } from '../rules.ts'
import { check, checkQualifiedName, IMMUTABLE, sameValue } from '../rules.ts'

const MAX_SHORT = 128
const MAX_NOTE = 1024

function checkShort(value: string | undefined, path: string, errors: Errors): void {
  if (!value) errors.push(required(path))
  else if (value.length > MAX_SHORT) errors.push(invalid(path, '', `can have at most ${MAX_SHORT} characters`))
}

/** `controller` is the name of the reporting controller's field in the group that was asked. */
export function checkEvent(event: CoreEvent, controller: string, errors: Errors): void {
  const { involvedObject, eventTime, reportingComponent = '', metadata } = event
  const namespace = metadata?.namespace ?? ''
  const about = involvedObject?.namespace ?? ''
  const mismatch = () => errors.push(invalid('involvedObject.namespace', about, 'does not match event.namespace'))
  if (!eventTime) {
    if (about ? namespace !== about : namespace !== '' && namespace !== 'default') mismatch()
    return
  }
  if (!about && namespace !== 'default' && namespace !== 'kube-system') mismatch()
  if (!reportingComponent) errors.push(required(controller))
  checkQualifiedName(reportingComponent, controller, errors)
  checkShort(event.reportingInstance, 'reportingInstance', errors)
  checkShort(event.action, 'action', errors)
  checkShort(event.reason, 'reason', errors)
  if ((event.message?.length ?? 0) > MAX_NOTE) {
    errors.push(invalid('message', '', `can have at most ${MAX_NOTE} characters`))
  }
}

export const eventRules: readonly Rule<CoreEvent>[] = [
  check((event, errors) => checkEvent(event, 'reportingComponent', errors)),
]

/** What may not change, each with what is shown where it is gone. */
const FIXED = [
  ['involvedObject', {}],
  ['reason', ''],
  ['message', ''],
  ['source', {}],
  ['firstTimestamp', null],
  ['lastTimestamp', null],
  ['count', 0],
  ['type', ''],
  ['eventTime', null],
  ['action', ''],
  ['related', null],
  ['reportingInstance', ''],
] as const

function checkSeries({ series }: CoreEvent, errors: Errors): void {
  if (!series) return
  if ((series.count ?? 0) < 2) errors.push(invalid('series.count', '', 'should be at least 2'))
  if (!series.lastObservedTime) errors.push(required('series.lastObservedTime'))
}

/** What events.k8s.io asks beyond core: nothing deprecated is set, and only the series changes. */
export function checkStrict(event: CoreEvent, old: CoreEvent | undefined, errors: Errors): void {
  if (!old || !sameValue(event.series, old.series)) checkSeries(event, errors)
  if (old) {
    for (const [field, gone] of FIXED) {
      if (!sameValue(event[field], old[field])) errors.push(invalid(field, event[field] ?? gone, IMMUTABLE))
    }
    if (event.reportingComponent !== old.reportingComponent) {
      errors.push(invalid('reportingController', event.reportingComponent ?? '', IMMUTABLE))
    }
    return
  }
  if (!event.eventTime) errors.push(required('eventTime'))
  if (event.type !== 'Normal' && event.type !== 'Warning') {
    errors.push(invalid('type', '', `has invalid value: ${event.type ?? ''}`))
  }
  for (const field of ['firstTimestamp', 'lastTimestamp', 'count'] as const) {
    if (event[field]) errors.push(invalid(field, '', 'needs to be unset'))
  }
  if (event.source?.component || event.source?.host) errors.push(invalid('source', '', 'needs to be unset'))
}
