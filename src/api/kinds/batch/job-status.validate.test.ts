import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job, JobSpec, JobStatus } from '../../generated/types/batch-v1.ts'
import { jobStatusRules } from './job-status.validate.ts'

const START = '2026-01-01T00:00:00Z'
const END = '2026-01-01T01:00:00Z'
const is = (...types: string[]) => types.map(type => ({ type, status: 'True' }))
const job = (status: JobStatus, spec: Partial<JobSpec> = {}): Job => ({ spec: spec as JobSpec, status })
const DONE: JobStatus = { startTime: START, completionTime: END, conditions: is('SuccessCriteriaMet', 'Complete') }
const LOST: JobStatus = { startTime: START, conditions: is('FailureTarget', 'Failed') }
const INDEXED: Partial<JobSpec> = { completionMode: 'Indexed', completions: 5, backoffLimitPerIndex: 1 }

/** As a Kubernetes 1.36 server says it. */
const cases: [title: string, old: JobStatus, next: JobStatus, errors: string[], spec?: Partial<JobSpec>][] = [
  ['a job that ends well', { startTime: START, active: 1 }, DONE, []],
  ['a job that ends badly', { startTime: START }, LOST, []],
  [
    'both ends',
    { startTime: START },
    { ...DONE, conditions: is('SuccessCriteriaMet', 'Complete', 'FailureTarget', 'Failed') },
    [
      'status.conditions: Invalid value: cannot set Complete=True and Failed=true conditions',
      'status.conditions: Invalid value: cannot set Complete=True and FailureTarget=true conditions',
      'status.conditions: Invalid value: cannot set SuccessCriteriaMet=True and Failed=true conditions',
      'status.conditions: Invalid value: cannot set SuccessCriteriaMet=True and FailureTarget=true conditions',
    ],
  ],
  [
    'an end without what must come before',
    { startTime: START },
    { startTime: START, conditions: is('Failed') },
    ['status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition'],
  ],
  [
    'a success without its criteria and its time',
    { startTime: START },
    { startTime: START, conditions: is('Complete') },
    [
      'status.completionTime: Required value: completionTime is required for Complete jobs',
      'status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition',
    ],
  ],
  [
    'a time of completion without one, and before the start',
    { startTime: END },
    { startTime: END, completionTime: START },
    [
      `status.completionTime: Invalid value: "${START}": cannot set completionTime when there is no Complete=True condition`,
      `status.completionTime: Invalid value: "${START}": must be equal to or after \`startTime\``,
    ],
  ],
  [
    'an end with pods, and without a start',
    {},
    { active: 2, terminating: 1, uncountedTerminatedPods: { failed: ['u'] }, conditions: LOST.conditions! },
    [
      'status.active: Invalid value: 2: active>0 is invalid for finished job',
      'status.startTime: Required value: startTime is required for finished job',
      'status.uncountedTerminatedPods: Invalid value: {"failed":["u"]}: must be empty for finished job',
      'status.terminating: Invalid value: 1: terminating>0 is invalid for finished job',
    ],
  ],
  [
    'an end without a start of nothing at all',
    {},
    { conditions: LOST.conditions! },
    [],
    { suspend: true, completions: 0 },
  ],
  [
    'what was wrong before and stays',
    { startTime: START, conditions: is('Failed') },
    { startTime: START, ready: 0, conditions: is('Failed') },
    [],
  ],
  [
    'an end that is taken back',
    DONE,
    { startTime: START, completionTime: END },
    [
      `status.completionTime: Invalid value: "${END}": cannot set completionTime when there is no Complete=True condition`,
      'status.conditions: Invalid value: cannot disable the terminal Complete=True condition',
      'status.conditions: Invalid value: cannot disable the SuccessCriteriaMet=True condition',
    ],
  ],
  [
    'another time of completion',
    DONE,
    { ...DONE, completionTime: '2026-01-01T02:00:00Z' },
    ['status.completionTime: Invalid value: "2026-01-01T02:00:00Z": field is immutable'],
  ],
  [
    'criteria met afterwards',
    { ...DONE, conditions: is('Complete') },
    DONE,
    [
      'status.conditions: Invalid value: cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions',
    ],
  ],
  [
    'a success that its policy does not know of',
    { ...DONE, conditions: is('Complete') },
    { ...DONE, conditions: is('Complete') },
    [
      'status.conditions: Invalid value: cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True',
    ],
    { successPolicy: { rules: [] } },
  ],
  [
    'counters that go back',
    { succeeded: 2, failed: 2 },
    { succeeded: 1, failed: 1 },
    [
      'status.failed: Invalid value: 1: cannot decrease the failed counter',
      'status.succeeded: Invalid value: 1: cannot decrease the succeeded counter',
    ],
  ],
  ['an indexed job that is scaled down', { succeeded: 2 }, { succeeded: 1 }, [], { ...INDEXED, parallelism: 5 }],
  [
    'another start',
    { startTime: START },
    { startTime: END },
    [`status.startTime: Invalid value: "${END}": field is immutable for unsuspended job once set`],
  ],
  ['another start of a suspended job', { startTime: START }, { startTime: END }, [], { suspend: true }],
  [
    'another start of a job that goes on',
    { startTime: START, conditions: is('Suspended') },
    { startTime: END, conditions: [{ type: 'Suspended', status: 'False' }] },
    [],
  ],
  [
    'more ready pods than active ones',
    {},
    { ready: 2, active: 1 },
    ['status.ready: Invalid value: 2: cannot set more ready pods than active'],
  ],
  [
    'indexes of a job without them',
    {},
    { completedIndexes: '0', failedIndexes: '' },
    [
      'status.completedIndexes: Invalid value: "0": cannot set non-empty completedIndexes when non-indexed completion mode',
      'status.failedIndexes: Invalid value: "": cannot set non-null failedIndexes when backoffLimitPerIndex is null',
    ],
  ],
  ['indexes', {}, { completedIndexes: '0,2-3', failedIndexes: '1,4' }, [], INDEXED],
  [
    'indexes that are none, and too large',
    {},
    { completedIndexes: 'x', failedIndexes: '5' },
    [
      'status.completedIndexes: Invalid value: "x": error parsing completedIndexes: cannot convert string to integer for index: "x"',
      'status.failedIndexes: Invalid value: "5": error parsing failedIndexes: too large index: "5"',
    ],
    INDEXED,
  ],
  [
    'an index on both sides',
    {},
    { completedIndexes: '0-2,4', failedIndexes: '3-4' },
    ['status.failedIndexes: Invalid value: "3-4": failedIndexes and completedIndexes overlap at index: 4'],
    INDEXED,
  ],
  [
    'pods that are counted twice, or are none',
    {},
    { uncountedTerminatedPods: { succeeded: ['u', ''], failed: ['u'] } },
    [
      'status.uncountedTerminatedPods.succeeded[1]: Invalid value: "": must not be empty',
      'status.uncountedTerminatedPods.failed[0]: Duplicate value: "u"',
    ],
  ],
]

for (const [title, old, next, expected, spec] of cases) {
  test(`jobStatusRules say ${expected.length ? 'what is wrong with' : 'nothing about'} ${title}`, () => {
    const context = { subresource: 'status', now: 0 }
    const errors = jobStatusRules.flatMap(rule => rule(job(next, spec), job(old, spec), context))
    assert.deepEqual(
      errors.map(({ field, message }) => `${field}: ${message}`),
      expected,
    )
  })
}
