/** Annotations in which autoscaling/v1 carries what only autoscaling/v2 has fields for. */
import type {
  HorizontalPodAutoscalerBehavior as Behavior,
  HorizontalPodAutoscalerCondition as Condition,
  MetricSpec,
  MetricStatus,
} from '../../generated/types/autoscaling-v2.ts'
import type { Schema } from '../../machinery/schema.ts'
import { checkStructure } from '../../machinery/structural.ts'
import { specToV1, specToV2, statusToV1, statusToV2 } from './v1-metrics.ts'

type Json = Record<string, unknown>
export type Annotations = Record<string, string>

const PREFIX = 'autoscaling.alpha.kubernetes.io/'
const METRICS = `${PREFIX}metrics`
const BEHAVIOR = `${PREFIX}behavior`
export const CURRENT = `${PREFIX}current-metrics`
export const CONDITIONS = `${PREFIX}conditions`

const schemaOf = (name: string): Schema => ({ ref: `io.k8s.api.autoscaling.v2.${name}` })
const METRIC_LIST: Schema = { type: 'array', items: schemaOf('MetricSpec') }
const CURRENT_LIST: Schema = { type: 'array', items: schemaOf('MetricStatus') }
const CONDITION_LIST: Schema = { type: 'array', items: schemaOf('HorizontalPodAutoscalerCondition') }
const BEHAVIOR_OBJECT = schemaOf('HorizontalPodAutoscalerBehavior')

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** An annotation in v2's form; undefined where there is none, or a client spoilt it. */
function read<T>(
  annotations: Annotations | undefined,
  key: string,
  schema: Schema,
  convert: (value: unknown) => unknown,
): T | undefined {
  const text = annotations?.[key]
  if (text === undefined) return undefined
  try {
    const value = convert(JSON.parse(text))
    return checkStructure(value, schema).errors.length ? undefined : (value as T)
  } catch {
    return undefined
  }
}

const each = (convert: (item: Json) => unknown) => (value: unknown) =>
  Array.isArray(value) ? value.map(item => (isObject(item) ? convert(item) : item)) : value

/** Go writes this one in the names of its own fields, and reads any case. */
function withFirst(change: (letter: string) => string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map(item => withFirst(change, item))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [change(key[0] ?? '') + key.slice(1), withFirst(change, inner)]),
  )
}

function behaviorText(behavior: Behavior): string {
  const rules = ({
    stabilizationWindowSeconds,
    selectPolicy,
    policies,
    tolerance,
  }: NonNullable<Behavior['scaleUp']>) => ({
    stabilizationWindowSeconds: stabilizationWindowSeconds ?? null,
    selectPolicy: selectPolicy ?? null,
    policies: policies?.map(({ type, value, periodSeconds }) => ({ type, value, periodSeconds })) ?? null,
    tolerance: tolerance ?? null,
  })
  const { scaleUp, scaleDown } = behavior
  const shown = { scaleUp: scaleUp ? rules(scaleUp) : null, scaleDown: scaleDown ? rules(scaleDown) : null }
  return JSON.stringify(withFirst(letter => letter.toUpperCase(), shown))
}

const conditionToV1 = ({ type, status, lastTransitionTime, reason, message }: Condition) => ({
  type,
  status,
  lastTransitionTime: lastTransitionTime ?? null,
  ...(reason && { reason }),
  ...(message && { message }),
})

export const readMetrics = (from: Annotations | undefined) =>
  read<MetricSpec[]>(from, METRICS, METRIC_LIST, each(specToV2))
export const readCurrent = (from: Annotations | undefined) =>
  read<MetricStatus[]>(from, CURRENT, CURRENT_LIST, each(statusToV2))
export const readConditions = (from: Annotations | undefined) =>
  read<Condition[]>(from, CONDITIONS, CONDITION_LIST, value => value)
export const readBehavior = (from: Annotations | undefined) =>
  read<Behavior>(from, BEHAVIOR, BEHAVIOR_OBJECT, value => withFirst(letter => letter.toLowerCase(), value))

/** The annotations without these. */
export function withoutOwn(annotations: Annotations | undefined): Annotations {
  const own = [METRICS, CURRENT, CONDITIONS, BEHAVIOR]
  return Object.fromEntries(Object.entries(annotations ?? {}).filter(([key]) => !own.includes(key)))
}

/** What is to be said in annotations. */
export interface Beyond {
  readonly metrics: readonly MetricSpec[]
  readonly behavior: Behavior | undefined
  readonly currentMetrics: readonly MetricStatus[] | undefined
  readonly conditions: readonly Condition[] | undefined
}

/** The annotations that say it, and no others. */
export function annotationsFor({ metrics, behavior, currentMetrics, conditions }: Beyond): Annotations {
  const result: Annotations = {}
  if (metrics.length) result[METRICS] = JSON.stringify(metrics.map(specToV1))
  if (behavior) result[BEHAVIOR] = behaviorText(behavior)
  if (currentMetrics?.length) result[CURRENT] = JSON.stringify(currentMetrics.map(statusToV1))
  if (conditions?.length) result[CONDITIONS] = JSON.stringify(conditions.map(conditionToV1))
  return result
}
