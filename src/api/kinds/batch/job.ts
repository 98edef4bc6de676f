import type { Job as Type } from '../../generated/types/batch-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { dropGatedFields } from '../core/pod-spec.gates.ts'
import { adoptLabels } from '../core/template-labels.ts'
import { defaultJob, generateSelector, prepareJob } from './job.strategy.ts'
import { jobRules } from './job.validate.ts'
import { jobColumns } from './job-columns.ts'
import { jobWarnings } from './job-warnings.ts'

/** batch/v1 Job. */
export type Job = Type

export const Job = defineKind<Job>({
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  singular: 'job',
  categories: ['all'],
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.batch.v1.Job',
  status: true,
  generation: true,
  defaults: defaultJob,
  prepareCreate(job) {
    prepareJob(job)
    dropGatedFields(job.spec?.template?.spec)
  },
  prepareUpdate(job, _old, { subresource }) {
    dropGatedFields(job.spec?.template?.spec)
    if (subresource === 'status') adoptLabels(job)
  },
  named: generateSelector,
  selectable: { 'status.successful': ({ status }) => String(status?.succeeded ?? 0) },
  rules: jobRules,
  warnings: jobWarnings,
  columns: jobColumns,
})
