import type { HorizontalPodAutoscaler as Type } from '../../generated/types/autoscaling-v2.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn } from '../columns.ts'

/** autoscaling/v2 HorizontalPodAutoscaler. */
export type HorizontalPodAutoscaler = Type

export const HorizontalPodAutoscaler = defineKind<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  singular: 'horizontalpodautoscaler',
  shortNames: ['hpa'],
  categories: ['all'],
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler',
  status: true,
  columns: [nameColumn, ageColumn],
})
