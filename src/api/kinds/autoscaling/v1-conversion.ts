/**
 * autoscaling/v1 shows an autoscaler with one CPU target. What v2 has beyond that travels in annotations, so that an
 * object read and written as v1 loses nothing (k8s.io/kubernetes `pkg/apis/autoscaling/v1/conversion.go`).
 */
import type { HorizontalPodAutoscaler as V1 } from '../../generated/types/autoscaling-v1.ts'
import type {
  HorizontalPodAutoscalerSpec,
  MetricSpec,
  HorizontalPodAutoscaler as V2,
  HorizontalPodAutoscalerStatus as V2Status,
} from '../../generated/types/autoscaling-v2.ts'
import { CPU_PERCENT, cpuMetric } from './scaling-rules.ts'
import {
  type Annotations,
  annotationsFor,
  readBehavior,
  readConditions,
  readCurrent,
  readMetrics,
  withoutOwn,
} from './v1-annotations.ts'

function withAnnotations<T extends { annotations?: Annotations }>(meta: T, annotations: Annotations): T {
  const { annotations: _, ...rest } = meta
  return (Object.keys(annotations).length ? { ...rest, annotations } : rest) as T
}

/** Whether annotations say what to measure. */
export const hasMetrics = (annotations: Annotations | undefined): boolean => Boolean(readMetrics(annotations)?.length)

function statusToV2(status: NonNullable<V1['status']>, annotations: Annotations | undefined): V2Status {
  const { currentCPUUtilizationPercentage: cpu, ...shared } = status
  const measured =
    cpu === undefined
      ? undefined
      : [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: cpu } } }]
  const currentMetrics = readCurrent(annotations) ?? measured
  const conditions = readConditions(annotations)
  return { ...shared, ...(currentMetrics && { currentMetrics }), ...(conditions && { conditions }) }
}

/** As autoscaling/v2. */
export function toV2(object: V1): V2 {
  const { targetCPUUtilizationPercentage: cpu, ...spec } = object.spec ?? ({} as NonNullable<V1['spec']>)
  const annotations = object.metadata?.annotations
  const metrics = [...(readMetrics(annotations) ?? []), ...(cpu === undefined ? [] : [cpuMetric(cpu)])]
  const behavior = readBehavior(annotations)
  return {
    ...object,
    apiVersion: 'autoscaling/v2',
    metadata: withAnnotations(object.metadata ?? {}, withoutOwn(annotations)),
    spec: {
      ...spec,
      metrics: metrics.length ? metrics : [cpuMetric(CPU_PERCENT)],
      ...(behavior && Object.keys(behavior).length && { behavior }),
    },
    ...(object.status && { status: statusToV2(object.status, annotations) }),
  } as V2
}

const isCpu = ({ type, resource }: MetricSpec) =>
  type === 'Resource' && resource?.name === 'cpu' && resource.target?.averageUtilization !== undefined

/** As autoscaling/v1. */
export function fromV2(object: V2): V1 {
  const { status: v2Status, ...shared } = object
  const { metrics = [], behavior, ...spec } = object.spec ?? ({} as HorizontalPodAutoscalerSpec)
  const { currentMetrics, conditions, ...status } = v2Status ?? ({ desiredReplicas: 0 } as V2Status)
  const cpu = metrics.find(isCpu)?.resource?.target.averageUtilization
  const now = currentMetrics?.findLast(
    ({ type, resource }) =>
      type === 'Resource' && resource?.name === 'cpu' && resource.current?.averageUtilization !== undefined,
  )
  const annotations = {
    ...withoutOwn(object.metadata?.annotations),
    ...annotationsFor({ metrics: metrics.filter(metric => !isCpu(metric)), behavior, currentMetrics, conditions }),
  }
  return {
    ...shared,
    apiVersion: 'autoscaling/v1',
    metadata: withAnnotations(object.metadata ?? {}, annotations),
    spec: { ...spec, ...(cpu !== undefined && { targetCPUUtilizationPercentage: cpu }) },
    ...(v2Status && {
      status: {
        ...status,
        currentReplicas: status.currentReplicas ?? 0,
        ...(now && { currentCPUUtilizationPercentage: now.resource!.current.averageUtilization! }),
      },
    }),
  }
}
