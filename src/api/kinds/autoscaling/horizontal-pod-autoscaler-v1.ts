import type { HorizontalPodAutoscaler as Type } from '../../generated/types/autoscaling-v1.ts'
import { ALL_VERBS, defineKind, kindKey, type Rule } from '../../machinery/kind.ts'
import { HorizontalPodAutoscaler } from './horizontal-pod-autoscaler.ts'
import { horizontalPodAutoscalerRules } from './horizontal-pod-autoscaler.validate.ts'
import { CPU_PERCENT } from './scaling-rules.ts'
import { CONDITIONS, CURRENT } from './v1-annotations.ts'
import { fromV2, hasMetrics, toV2 } from './v1-conversion.ts'

/** autoscaling/v1 HorizontalPodAutoscaler. */
export type HorizontalPodAutoscalerV1 = Type

/** Puts the annotations that stand for the status in the place of what a client says in them. */
function keepStatusAnnotations(object: HorizontalPodAutoscalerV1, old: HorizontalPodAutoscalerV1 | undefined): void {
  const { annotations, ...metadata } = object.metadata ?? {}
  const next = { ...annotations }
  for (const key of [CURRENT, CONDITIONS]) {
    const kept = old?.metadata?.annotations?.[key]
    if (kept === undefined) delete next[key]
    else next[key] = kept
  }
  object.metadata = Object.keys(next).length ? { ...metadata, annotations: next } : metadata
}

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
  defaults(object) {
    const { metadata, spec, status } = object
    if (!spec) return
    spec.minReplicas ??= 1
    if (!hasMetrics(metadata?.annotations)) spec.targetCPUUtilizationPercentage ??= CPU_PERCENT
    // What is said in fields is said in annotations too, and the other way round.
    if (status?.currentCPUUtilizationPercentage !== undefined || metadata?.annotations) {
      Object.assign(object, fromV2(toV2(object)))
    }
  },
  prepareCreate(object) {
    keepStatusAnnotations(object, undefined)
  },
  prepareUpdate(object, old, { subresource }) {
    if (subresource !== 'status') keepStatusAnnotations(object, old)
  },
  rules: horizontalPodAutoscalerRules.map(
    (rule): Rule<HorizontalPodAutoscalerV1> =>
      (next, old, context) =>
        rule(toV2(next), old && toV2(old), context),
  ),
  columns: HorizontalPodAutoscaler.columns.map(column => ({
    ...column,
    cell: (object, now) => column.cell(toV2(object), now),
  })),
})
