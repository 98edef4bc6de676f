import type { CronJob as Type } from '../../generated/types/batch-v1.ts'
import { invalid, notSupported, required } from '../../machinery/field-error.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { age, ageColumn, count, formatSelector, nameColumn, text, wide } from '../columns.ts'
import { defaultPodSpec } from '../core/pod-spec.defaults.ts'
import { dropGatedFields } from '../core/pod-spec.gates.ts'
import { checkPodTemplate } from '../core/pod-spec.validate.ts'
import { check, checkEnum, nonNegative, onObject } from '../rules.ts'
import { containerNames, images } from '../workload-columns.ts'
import { defaultFailurePolicy } from './job.strategy.ts'
import { checkPolicies } from './job.validate.ts'
import { cronJobWarnings } from './job-warnings.ts'
import { checkSchedule } from './schedule.validate.ts'

/** batch/v1 CronJob. */
export type CronJob = Type

/** Jobs have a suffix of eleven letters. */
const LONGEST_NAME = 52

export const CronJob = defineKind<CronJob>({
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  plural: 'cronjobs',
  singular: 'cronjob',
  shortNames: ['cj'],
  categories: ['all'],
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.batch.v1.CronJob',
  status: true,
  generation: true,
  defaults({ spec }) {
    if (!spec) return
    spec.concurrencyPolicy ||= 'Allow'
    spec.suspend ??= false
    spec.successfulJobsHistoryLimit ??= 3
    spec.failedJobsHistoryLimit ??= 1
    // The template's job is defaulted when it is made; only its pods are here.
    if (spec.jobTemplate?.spec) defaultFailurePolicy(spec.jobTemplate.spec)
    defaultPodSpec(spec.jobTemplate?.spec?.template?.spec)
  },
  prepareCreate(job) {
    job.status = {}
    dropGatedFields(job.spec?.jobTemplate?.spec?.template?.spec)
  },
  prepareUpdate: ({ spec }) => dropGatedFields(spec?.jobTemplate?.spec?.template?.spec),
  rules: [
    onObject(
      nonNegative(
        'spec.startingDeadlineSeconds',
        'spec.successfulJobsHistoryLimit',
        'spec.failedJobsHistoryLimit',
        'spec.jobTemplate.spec.parallelism',
        'spec.jobTemplate.spec.completions',
        'spec.jobTemplate.spec.backoffLimit',
        'spec.jobTemplate.spec.activeDeadlineSeconds',
        'spec.jobTemplate.spec.ttlSecondsAfterFinished',
        'spec.jobTemplate.spec.backoffLimitPerIndex',
        'spec.jobTemplate.spec.maxFailedIndexes',
      ),
      check<CronJob>(({ metadata, spec }, errors, old) => {
        const name = metadata?.name ?? ''
        if (!old && name.length > LONGEST_NAME) {
          errors.push(invalid('metadata.name', name, `must be no more than ${LONGEST_NAME} characters`))
        }
        if (!spec?.schedule) errors.push(required('spec.schedule'))
        else checkSchedule(spec, old?.spec, errors)
        checkEnum(spec?.concurrencyPolicy, ['Allow', 'Forbid', 'Replace'], 'spec.concurrencyPolicy', errors)
        const template = spec?.jobTemplate?.spec?.template
        checkPodTemplate(template, 'spec.jobTemplate.spec.template', errors)
        const { selector, manualSelector } = spec?.jobTemplate?.spec ?? {}
        if (selector) {
          errors.push(invalid('spec.jobTemplate.spec.selector', selector, '`selector` will be auto-generated'))
        }
        if (manualSelector) {
          errors.push(notSupported('spec.jobTemplate.spec.manualSelector', manualSelector, ['nil', 'false']))
        }
        if (spec?.jobTemplate?.spec) checkPolicies(spec.jobTemplate.spec, 'spec.jobTemplate.spec', errors)
        else
          errors.push(
            required('spec.jobTemplate.spec.template.spec.restartPolicy', 'valid values: "OnFailure", "Never"'),
          )
      }),
    ),
  ],
  warnings: cronJobWarnings,
  columns: [
    nameColumn,
    text('Schedule', ({ spec }) => spec?.schedule ?? ''),
    text('Timezone', ({ spec }) => spec?.timeZone ?? '<none>'),
    { name: 'Suspend', type: 'boolean', cell: ({ spec }) => (spec?.suspend ? 'True' : 'False') },
    count('Active', ({ status }) => status?.active?.length),
    text('Last Schedule', ({ status }, now) =>
      status?.lastScheduleTime ? age(status.lastScheduleTime, now) : '<none>',
    ),
    ageColumn,
    wide('Containers', ({ spec }) => containerNames(spec?.jobTemplate?.spec?.template)),
    wide('Images', ({ spec }) => images(spec?.jobTemplate?.spec?.template)),
    wide('Selector', ({ spec }) => formatSelector(spec?.jobTemplate?.spec?.selector)),
  ],
})
