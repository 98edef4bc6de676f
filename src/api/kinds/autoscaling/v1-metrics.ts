/**
 * Metrics as autoscaling/v1 has them in annotations, and as autoscaling/v2 has them
 * (k8s.io/kubernetes `pkg/apis/autoscaling/v1/conversion.go`).
 */
import type { MetricSpec, MetricStatus } from '../../generated/types/autoscaling-v2.ts'

type Json = Record<string, unknown>

/** A field of v1, where it stands in v2, and what v1 shows where v2 says nothing. */
type Field = readonly [v1: string, v2: string, zero?: unknown]
type Fields = Readonly<Record<string, readonly Field[]>>

/** By the source of a metric, in the order in which Go writes them. */
const SPEC: Fields = {
  object: [
    ['target', 'describedObject'],
    ['metricName', 'metric.name'],
    ['targetValue', 'target.value', '0'],
    ['selector', 'metric.selector'],
    ['averageValue', 'target.averageValue'],
  ],
  pods: [
    ['metricName', 'metric.name'],
    ['targetAverageValue', 'target.averageValue', '0'],
    ['selector', 'metric.selector'],
  ],
  resource: [
    ['name', 'name'],
    ['targetAverageUtilization', 'target.averageUtilization'],
    ['targetAverageValue', 'target.averageValue'],
  ],
  containerResource: [
    ['name', 'name'],
    ['targetAverageUtilization', 'target.averageUtilization'],
    ['targetAverageValue', 'target.averageValue'],
    ['container', 'container'],
  ],
  external: [
    ['metricName', 'metric.name'],
    ['metricSelector', 'metric.selector'],
    ['targetValue', 'target.value'],
    ['targetAverageValue', 'target.averageValue'],
  ],
}

const STATUS: Fields = {
  object: [
    ['target', 'describedObject'],
    ['metricName', 'metric.name'],
    ['currentValue', 'current.value', '0'],
    ['selector', 'metric.selector'],
    ['averageValue', 'current.averageValue'],
  ],
  pods: [
    ['metricName', 'metric.name'],
    ['currentAverageValue', 'current.averageValue', '0'],
    ['selector', 'metric.selector'],
  ],
  resource: [
    ['name', 'name'],
    ['currentAverageUtilization', 'current.averageUtilization'],
    ['currentAverageValue', 'current.averageValue', '0'],
  ],
  containerResource: [
    ['name', 'name'],
    ['currentAverageUtilization', 'current.averageUtilization'],
    ['currentAverageValue', 'current.averageValue', '0'],
    ['container', 'container'],
  ],
  external: [
    ['metricName', 'metric.name'],
    ['metricSelector', 'metric.selector'],
    ['currentValue', 'current.value', '0'],
    ['currentAverageValue', 'current.averageValue'],
  ],
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

function toV1(fields: Fields, metric: MetricSpec | MetricStatus): Json {
  const result: Json = { type: metric.type }
  for (const [source, own] of Object.entries(fields)) {
    const from = (metric as unknown as Json)[source]
    if (!isObject(from)) continue
    const to: Json = {}
    for (const [v1, v2, zero] of own) {
      const [outer = '', inner] = v2.split('.')
      const value = (inner ? (from[outer] as Json | undefined)?.[inner] : from[outer]) ?? zero
      if (value !== undefined) to[v1] = value
    }
    result[source] = to
  }
  return result
}

function toV2(fields: Fields, metric: Json): Json {
  const result: Json = { type: metric.type }
  for (const [source, own] of Object.entries(fields)) {
    const from = metric[source]
    if (!isObject(from)) continue
    const to: Json = {}
    for (const [v1, v2, zero] of own) {
      const [outer = '', inner] = v2.split('.')
      const value = from[v1] ?? zero
      if (inner) to[outer] = { ...(to[outer] as Json | undefined), ...(value !== undefined && { [inner]: value }) }
      else if (value !== undefined) to[outer] = value
    }
    result[source] = to
  }
  return result
}

/** What v1 does not say of a target: which of its values counts. */
function typeOf(source: string, { value, averageValue, averageUtilization }: Json): string {
  if (source === 'object') return averageValue === undefined ? 'Value' : 'AverageValue'
  if (source === 'external') return value === undefined ? 'AverageValue' : 'Value'
  return averageUtilization === undefined ? 'AverageValue' : 'Utilization'
}

/** As v1 shows what is aimed at. */
export const specToV1 = (metric: MetricSpec): Json => toV1(SPEC, metric)
/** As v1 shows what is measured. */
export const statusToV1 = (metric: MetricStatus): Json => toV1(STATUS, metric)

/** As v2 shows what is aimed at. The result is not checked. */
export function specToV2(metric: Json): unknown {
  const result = toV2(SPEC, metric)
  for (const source of Object.keys(SPEC)) {
    const target = (result[source] as { target?: Json } | undefined)?.target
    if (!target) continue
    // v1 cannot leave this value out.
    if (source === 'object' && target.averageValue !== undefined && target.value === '0') delete target.value
    target.type = typeOf(source, target)
  }
  return result
}

/** As v2 shows what is measured. The result is not checked. */
export const statusToV2 = (metric: Json): unknown => toV2(STATUS, metric)
