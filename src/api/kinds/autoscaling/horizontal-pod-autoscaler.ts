import type { HorizontalPodAutoscaler as Type } from '../../generated/types/autoscaling-v2.ts'
import { invalid, required } from '../../machinery/field-error.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { check, onObject } from '../rules.ts'
import { formatMetrics } from './metric-columns.ts'
import { cpuMetric, SCALE_DOWN, SCALE_UP } from './scaling-rules.ts'

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
  defaults({ spec }) {
    if (!spec) return
    spec.minReplicas ??= 1
    if (!spec.metrics?.length) spec.metrics = [cpuMetric(80)]
    if (!spec.behavior) return
    spec.behavior.scaleUp = { ...SCALE_UP, ...spec.behavior.scaleUp }
    spec.behavior.scaleDown = { ...SCALE_DOWN, ...spec.behavior.scaleDown }
  },
  prepareCreate(autoscaler) {
    autoscaler.status = { desiredReplicas: 0 }
  },
  rules: [
    onObject(
      check<HorizontalPodAutoscaler>(({ spec }, errors) => {
        const { minReplicas = 1, maxReplicas = 0, scaleTargetRef } = spec ?? {}
        if (minReplicas < 1) {
          errors.push(invalid('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'))
        }
        if (maxReplicas < 1) errors.push(required('spec.maxReplicas', 'must be set and greater than 0'))
        if (maxReplicas < minReplicas) {
          errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'))
        }
        const { apiVersion = '', kind } = scaleTargetRef ?? {}
        // Replication controllers are the one kind of the core group that scales.
        if (!apiVersion.includes('/') && kind !== 'ReplicationController') {
          errors.push(invalid('spec.scaleTargetRef.apiVersion', apiVersion, 'apiVersion must specify API group'))
        }
        if (!scaleTargetRef?.kind) errors.push(required('spec.scaleTargetRef.kind'))
        if (!scaleTargetRef?.name) errors.push(required('spec.scaleTargetRef.name'))
      }),
    ),
  ],
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
