import type { HPAScalingRules, HorizontalPodAutoscaler as Type } from '../../generated/types/autoscaling-v2.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { horizontalPodAutoscalerRules } from './horizontal-pod-autoscaler.validate.ts'
import { formatMetrics } from './metric-columns.ts'
import { CPU_PERCENT, cpuMetric, SCALE_DOWN, SCALE_UP } from './scaling-rules.ts'

/** autoscaling/v2 HorizontalPodAutoscaler. */
export type HorizontalPodAutoscaler = Type

function fill(rules: HPAScalingRules, defaults: HPAScalingRules): void {
  const { stabilizationWindowSeconds: seconds } = defaults
  if (seconds !== undefined) rules.stabilizationWindowSeconds ??= seconds
  rules.selectPolicy ??= defaults.selectPolicy!
  rules.policies ??= defaults.policies!.map(policy => ({ ...policy }))
}

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
  defaults({ spec }) {
    if (!spec) return
    spec.minReplicas ??= 1
    if (!spec.metrics?.length) spec.metrics = [cpuMetric(CPU_PERCENT)]
    if (!spec.behavior) return
    fill((spec.behavior.scaleUp ??= {}), SCALE_UP)
    fill((spec.behavior.scaleDown ??= {}), SCALE_DOWN)
  },
  prepareCreate(autoscaler) {
    autoscaler.status = { desiredReplicas: 0 }
  },
  rules: horizontalPodAutoscalerRules,
  columns: [
    nameColumn,
    text('Reference', ({ spec }) => `${spec?.scaleTargetRef?.kind ?? ''}/${spec?.scaleTargetRef?.name ?? ''}`),
    text('Targets', ({ spec, status }) => formatMetrics(spec?.metrics, status?.currentMetrics ?? [])),
    text('MinPods', ({ spec }) => (spec?.minReplicas === undefined ? '<unset>' : String(spec.minReplicas))),
    text('MaxPods', ({ spec }) => spec?.maxReplicas ?? 0),
    text('Replicas', ({ status }) => status?.currentReplicas ?? 0),
    ageColumn,
  ],
})
