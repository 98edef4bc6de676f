import type { HorizontalPodAutoscaler as Type } from '../../generated/types/autoscaling-v1.ts'
import { ALL_VERBS, defineKind, kindKey } from '../../machinery/kind.ts'
import { HorizontalPodAutoscaler } from './horizontal-pod-autoscaler.ts'
import { fromV2, toV2 } from './v1-conversion.ts'

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
  storage: {
    kind: kindKey('autoscaling', 'v2', 'horizontalpodautoscalers'),
    encode: toV2,
    decode: stored => fromV2(stored as HorizontalPodAutoscaler),
  },
  defaults({ spec }) {
    if (spec) spec.minReplicas ??= 1
  },
  columns: HorizontalPodAutoscaler.columns.map(column => ({
    ...column,
    cell: (object, now) => column.cell(toV2(object), now),
  })),
})
