import type { HorizontalPodAutoscaler as Type } from '../../generated/types/autoscaling-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn } from '../columns.ts'

/** autoscaling/v1 HorizontalPodAutoscaler. */
export type HorizontalPodAutoscalerV1 = Type

export const HorizontalPodAutoscalerV1 = defineKind<HorizontalPodAutoscalerV1>({
  group: 'autoscaling',
  version: 'v1',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  singular: 'horizontalpodautoscaler',
  shortNames: ['hpa'],
  categories: ['all'],
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler',
  status: true,
  columns: [nameColumn, ageColumn],
})
