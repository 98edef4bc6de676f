import type { CronJob as Type } from '../../generated/types/batch-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn } from '../columns.ts'

/** batch/v1 CronJob. */
export type CronJob = Type

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
  columns: [nameColumn, ageColumn],
})
