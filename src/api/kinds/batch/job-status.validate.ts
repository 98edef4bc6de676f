/**
 * Rules of a Job's status, which controllers of strangers may write too (KEP-4368). Most hold only when something
 * that they look at changes: what stood there before may stay.
 */
import type { Job } from '../../generated/types/batch-v1.ts'
import { duplicate, type FieldError, invalid, invalidUnsaid, required } from '../../machinery/field-error.ts'
import { equalJson } from '../../machinery/merge-patch.ts'
import { check, type Errors, IMMUTABLE, nonNegative } from '../rules.ts'
import { countIndexes, overlap } from './indexes.ts'

/** What a rule looks at. */
type Fact = (job: Job) => unknown
type Fault = (next: Job, old: Job) => FieldError | false | undefined

const conditionIs =
  (type: string, status = 'True') =>
  (job: Job): boolean =>
    job.status?.conditions?.some(one => one.type === type && one.status === status) ?? false

const complete = conditionIs('Complete')
const failed = conditionIs('Failed')
const doomed = conditionIs('FailureTarget')
const met = conditionIs('SuccessCriteriaMet')
const finished = (job: Job) => complete(job) || failed(job)
const resuming = (next: Job, old: Job) => conditionIs('Suspended')(old) && conditionIs('Suspended', 'False')(next)
const indexed = ({ spec }: Job) => spec?.completionMode === 'Indexed'

const active: Fact = ({ status }) => status?.active ?? 0
const ready: Fact = ({ status }) => status?.ready
const terminating: Fact = ({ status }) => status?.terminating
const startTime: Fact = ({ status }) => status?.startTime
const completionTime: Fact = ({ status }) => status?.completionTime
const completedIndexes: Fact = ({ status }) => status?.completedIndexes ?? ''
const failedIndexes: Fact = ({ status }) => status?.failedIndexes
const uncounted: Fact = ({ status }) => {
  const { succeeded = [], failed: lost = [] } = status?.uncountedTerminatedPods ?? {}
  return [succeeded, lost]
}

const conditions = (detail: string) => invalidUnsaid('status.conditions', detail)

function badIndexes(name: 'completedIndexes' | 'failedIndexes', job: Job): FieldError | false {
  const text = job.status?.[name]
  const completions = job.spec?.completions
  if (text === undefined || completions === undefined) return false
  const read = countIndexes(text, completions)
  return typeof read === 'string' && invalid(`status.${name}`, text, `error parsing ${name}: ${read}`)
}

function overlapping({ status, spec }: Job): FieldError | false {
  const { completedIndexes: done, failedIndexes: lost } = status ?? {}
  if (!done || !lost || spec?.completions === undefined) return false
  const index = overlap(done, lost, spec.completions)
  const what = `failedIndexes and completedIndexes overlap at index: ${index}`
  return index !== undefined && invalid('status.failedIndexes', lost, what)
}

/** Rules that hold when one of the facts changes. */
const ON_CHANGE: readonly (readonly [facts: readonly Fact[], fault: Fault])[] = [
  [
    [complete, failed],
    job => complete(job) && failed(job) && conditions('cannot set Complete=True and Failed=true conditions'),
  ],
  [
    [complete, doomed],
    job => complete(job) && doomed(job) && conditions('cannot set Complete=True and FailureTarget=true conditions'),
  ],
  [
    [complete, completionTime],
    job =>
      completionTime(job) !== undefined &&
      !complete(job) &&
      invalid(
        'status.completionTime',
        completionTime(job),
        'cannot set completionTime when there is no Complete=True condition',
      ),
  ],
  [
    [complete, completionTime],
    job =>
      completionTime(job) === undefined &&
      complete(job) &&
      required('status.completionTime', 'completionTime is required for Complete jobs'),
  ],
  [
    [startTime, completionTime],
    ({ status }) =>
      status?.startTime !== undefined &&
      status.completionTime !== undefined &&
      Date.parse(status.completionTime) < Date.parse(status.startTime) &&
      invalid('status.completionTime', status.completionTime, 'must be equal to or after `startTime`'),
  ],
  [
    [failed, failedIndexes],
    job =>
      failed(job) &&
      !doomed(job) &&
      conditions('cannot set Failed=True condition without the FailureTarget=true condition'),
  ],
  [
    [complete, met],
    job =>
      complete(job) &&
      !met(job) &&
      conditions('cannot set Complete=True condition without the SuccessCriteriaMet=true condition'),
  ],
  [
    [finished, active],
    job =>
      (job.status?.active ?? 0) > 0 &&
      finished(job) &&
      invalid('status.active', active(job), 'active>0 is invalid for finished job'),
  ],
  [
    [finished, startTime],
    job =>
      startTime(job) === undefined &&
      finished(job) &&
      !(job.spec?.suspend && job.spec.completions === 0) &&
      required('status.startTime', 'startTime is required for finished job'),
  ],
  [
    [finished, uncounted],
    job => {
      const pods = job.status?.uncountedTerminatedPods
      const any = pods?.failed?.length || pods?.succeeded?.length
      return finished(job) && any
        ? invalid('status.uncountedTerminatedPods', pods, 'must be empty for finished job')
        : false
    },
  ],
  [[completedIndexes], job => badIndexes('completedIndexes', job)],
  [[failedIndexes], job => job.spec?.backoffLimitPerIndex !== undefined && badIndexes('failedIndexes', job)],
  [
    [completedIndexes],
    job =>
      completedIndexes(job) !== '' &&
      !indexed(job) &&
      invalid(
        'status.completedIndexes',
        completedIndexes(job),
        'cannot set non-empty completedIndexes when non-indexed completion mode',
      ),
  ],
  [
    [failedIndexes],
    job =>
      failedIndexes(job) !== undefined &&
      job.spec?.backoffLimitPerIndex === undefined &&
      invalid(
        'status.failedIndexes',
        failedIndexes(job),
        'cannot set non-null failedIndexes when backoffLimitPerIndex is null',
      ),
  ],
  [[failedIndexes, completedIndexes], overlapping],
  [
    [finished, terminating],
    job =>
      (job.status?.terminating ?? 0) > 0 &&
      finished(job) &&
      invalid('status.terminating', terminating(job), 'terminating>0 is invalid for finished job'),
  ],
  [
    [ready, active],
    ({ status }) =>
      (status?.ready ?? 0) > (status?.active ?? 0) &&
      invalid('status.ready', status?.ready, 'cannot set more ready pods than active'),
  ],
  [
    [startTime],
    (next, old) =>
      startTime(old) !== undefined &&
      !next.spec?.suspend &&
      !resuming(next, old) &&
      invalid('status.startTime', startTime(next), 'field is immutable for unsuspended job once set'),
  ],
]

/** Rules that always hold. */
const ALWAYS: readonly Fault[] = [
  job => met(job) && failed(job) && conditions('cannot set SuccessCriteriaMet=True and Failed=true conditions'),
  job => met(job) && doomed(job) && conditions('cannot set SuccessCriteriaMet=True and FailureTarget=true conditions'),
  job =>
    job.spec?.successPolicy !== undefined &&
    !met(job) &&
    complete(job) &&
    conditions('cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True'),
  ...['Failed', 'Complete', 'FailureTarget'].map((type): Fault => {
    const holds = conditionIs(type)
    return (next, old) => holds(old) && !holds(next) && conditions(`cannot disable the terminal ${type}=True condition`)
  }),
  ({ status: next }, { status: old }) =>
    (next?.failed ?? 0) < (old?.failed ?? 0) &&
    invalid('status.failed', next?.failed ?? 0, 'cannot decrease the failed counter'),
  (next, { status: old }) => {
    // A job whose parallelism is its completions can be scaled down.
    const scales = indexed(next) && next.spec?.completions === next.spec?.parallelism
    const [now, before] = [next.status?.succeeded ?? 0, old?.succeeded ?? 0]
    return !scales && now < before && invalid('status.succeeded', now, 'cannot decrease the succeeded counter')
  },
  (next, old) =>
    completionTime(next) !== undefined &&
    completionTime(old) !== undefined &&
    completionTime(next) !== completionTime(old) &&
    invalid('status.completionTime', completionTime(next), IMMUTABLE),
  (next, old) => met(old) && !met(next) && conditions('cannot disable the SuccessCriteriaMet=True condition'),
  (next, old) =>
    complete(old) &&
    !met(old) &&
    met(next) &&
    conditions('cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions'),
]

function checkUncounted({ status }: Job, errors: Errors): void {
  const seen = new Set<string>()
  for (const list of ['succeeded', 'failed'] as const) {
    for (const [index, uid] of (status?.uncountedTerminatedPods?.[list] ?? []).entries()) {
      const path = `status.uncountedTerminatedPods.${list}[${index}]`
      if (uid === '') errors.push(invalid(path, uid, 'must not be empty'))
      else if (seen.has(uid)) errors.push(duplicate(path, uid))
      else seen.add(uid)
    }
  }
}

function checkTransition(next: Job, errors: Errors, old: Job | undefined): void {
  if (!old) return
  for (const [facts, fault] of ON_CHANGE) {
    if (facts.every(fact => equalJson(fact(next), fact(old)))) continue
    const error = fault(next, old)
    if (error) errors.push(error)
  }
  for (const fault of ALWAYS) {
    const error = fault(next, old)
    if (error) errors.push(error)
  }
}

export const jobStatusRules = [
  nonNegative('status.active', 'status.succeeded', 'status.failed', 'status.ready', 'status.terminating'),
  check(checkUncounted),
  check(checkTransition),
]
