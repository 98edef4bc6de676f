/**
 * autoscaling/v1 shows an autoscaler with one CPU target. What v2 has beyond that travels in annotations, so that an
 * object read and written as v1 loses nothing (k8s.io/kubernetes `pkg/apis/autoscaling/v1/conversion.go`; the
 * annotations hold v2's form here).
 */
import type { HorizontalPodAutoscaler as V1 } from '../../generated/types/autoscaling-v1.ts'
import type {
  HorizontalPodAutoscalerSpec,
  HorizontalPodAutoscaler as V2,
  HorizontalPodAutoscalerStatus as V2Status,
} from '../../generated/types/autoscaling-v2.ts'
import { CPU_PERCENT, cpuMetric } from './scaling-rules.ts'

const PREFIX = 'autoscaling.alpha.kubernetes.io/'
const METRICS = `${PREFIX}metrics`
const CURRENT = `${PREFIX}current-metrics`
const CONDITIONS = `${PREFIX}conditions`
const BEHAVIOR = `${PREFIX}behavior`

type Part = { [key: string]: unknown } | unknown[]

/** A part kept in an annotation; undefined where there is none or a client spoilt it. */
function read<T extends Part>(annotations: Record<string, string> | undefined, key: string): T | undefined {
  try {
    return annotations?.[key] === undefined ? undefined : (JSON.parse(annotations[key]) as T)
  } catch {
    return undefined
  }
}

function without(annotations: Record<string, string> | undefined): Record<string, string> | undefined {
  if (!annotations) return undefined
  const kept = Object.entries(annotations).filter(([key]) => ![METRICS, CURRENT, CONDITIONS, BEHAVIOR].includes(key))
  return kept.length ? Object.fromEntries(kept) : undefined
}

function withAnnotations<T extends { annotations?: Record<string, string> }>(
  meta: T,
  annotations: Record<string, string> | undefined,
): T {
  const { annotations: _, ...rest } = meta
  return (annotations ? { ...rest, annotations } : rest) as T
}

/** Whether annotations say what to measure. */
export const hasMetrics = (annotations: Record<string, string> | undefined): boolean =>
  Boolean(read<unknown[]>(annotations, METRICS)?.length)

/** As autoscaling/v2. */
export function toV2(object: V1): V2 {
  const { targetCPUUtilizationPercentage: cpu, ...spec } = object.spec ?? ({} as NonNullable<V1['spec']>)
  const { currentCPUUtilizationPercentage: _, ...status } = object.status ?? ({} as NonNullable<V1['status']>)
  const annotations = object.metadata?.annotations
  const metrics = [
    ...(read<NonNullable<HorizontalPodAutoscalerSpec['metrics']>>(annotations, METRICS) ?? []),
    ...(cpu === undefined ? [] : [cpuMetric(cpu)]),
  ]
  const behavior = read<NonNullable<HorizontalPodAutoscalerSpec['behavior']> & Part>(annotations, BEHAVIOR)
  const currentMetrics = read<NonNullable<V2Status['currentMetrics']>>(annotations, CURRENT)
  const conditions = read<NonNullable<V2Status['conditions']>>(annotations, CONDITIONS)
  return {
    ...object,
    apiVersion: 'autoscaling/v2',
    metadata: withAnnotations(object.metadata ?? {}, without(annotations)),
    spec: { ...spec, metrics: metrics.length ? metrics : [cpuMetric(CPU_PERCENT)], ...(behavior && { behavior }) },
    ...(object.status && {
      status: { ...status, ...(currentMetrics && { currentMetrics }), ...(conditions && { conditions }) },
    }),
  }
}

/** As autoscaling/v1. */
export function fromV2(object: V2): V1 {
  const { status: v2Status, ...shared } = object
  const { metrics = [], behavior, ...spec } = object.spec ?? ({} as HorizontalPodAutoscalerSpec)
  const { currentMetrics, conditions, ...status } = v2Status ?? ({ desiredReplicas: 0 } as V2Status)
  const isCpu = (metric: (typeof metrics)[number]) =>
    metric.resource?.name === 'cpu' && metric.resource.target.averageUtilization !== undefined
  const cpu = metrics.find(isCpu)?.resource?.target.averageUtilization
  const now = currentMetrics?.find(metric => metric.resource?.name === 'cpu')?.resource?.current.averageUtilization
  const others = metrics.filter(metric => !isCpu(metric))
  const annotations: Record<string, string> = { ...without(object.metadata?.annotations) }
  if (others.length) annotations[METRICS] = JSON.stringify(others)
  if (currentMetrics?.length) annotations[CURRENT] = JSON.stringify(currentMetrics)
  if (conditions?.length) annotations[CONDITIONS] = JSON.stringify(conditions)
  if (behavior) annotations[BEHAVIOR] = JSON.stringify(behavior)
  return {
    ...shared,
    apiVersion: 'autoscaling/v1',
    metadata: withAnnotations(object.metadata ?? {}, Object.keys(annotations).length ? annotations : undefined),
    spec: { ...spec, ...(cpu !== undefined && { targetCPUUtilizationPercentage: cpu }) },
    ...(v2Status && {
      status: {
        ...status,
        currentReplicas: status.currentReplicas ?? 0,
        ...(now !== undefined && { currentCPUUtilizationPercentage: now }),
      },
    }),
  }
}
