/** One metric of an autoscaler: how many replicas it asks for, and what the status says of it. */
import type { MetricSpec, MetricStatus, MetricValueStatus } from '../../api/generated/types/autoscaling-v2.ts'
import type { Selector } from '../../api/machinery/label-selector.ts'
import { formatQuantity, milliValue, quantityOfMilli } from '../../api/machinery/quantity.ts'
import type { Metric, Metrics } from './metrics.ts'
import { byAverage, byShare, byUtilization, byValue, type Proposal, type Situation } from './replicas.ts'
import { saying } from './saying.ts'

export interface Evaluated {
  readonly replicas: number
  /** For the reason of a change. */
  readonly name: string
  readonly status: MetricStatus
}

/** A metric that could not be evaluated: `reason` for condition and event, with the message of `cause`. */
export class MetricError extends Error {
  readonly reason: string
  constructor(reason: string, what: string, cause: Error) {
    super(`failed to get ${what}: ${cause.message}`, { cause })
    this.reason = reason
  }
  /** What condition and event say. */
  get detail(): string {
    return (this.cause as Error).message
  }
}

export interface Asked {
  readonly namespace: string
  readonly selector: Selector
  readonly situation: Situation
}

const quantity = (milli: number, resource?: string) =>
  formatQuantity(quantityOfMilli(milli, resource === 'memory' ? 'BinarySI' : 'DecimalSI'))

const identity = ({ name, selector }: Metric) => ({ name, ...(selector && { selector }) })

type Resources = Pick<NonNullable<MetricSpec['resource']>, 'name' | 'target'>

/** What pods use of CPU or memory. */
async function resources(metrics: Metrics, asked: Asked, { name: resource, target }: Resources, container?: string) {
  const { namespace, selector, situation } = asked
  const { averageValue, averageUtilization: percent } = target
  const samples = () =>
    saying(`unable to get metrics for resource ${resource}`, () =>
      metrics.resource(namespace, selector, resource, container),
    )
  const current = ({ average, percent: used }: Proposal): MetricValueStatus => ({
    ...(used !== undefined && { averageUtilization: used }),
    averageValue: quantity(average, resource),
  })
  if (averageValue !== undefined) {
    const found = await saying(`failed to get ${resource} usage`, async () =>
      byAverage(situation, await samples(), milliValue(averageValue), resource),
    )
    return { replicas: found.replicas, name: `${resource} resource`, current: current(found) }
  }
  const found = await saying(`failed to get ${resource} utilization`, async () =>
    byUtilization(situation, await samples(), { resource, container, percent: percent ?? 0 }),
  )
  const of = container === undefined ? 'resource' : 'container resource'
  const name = `${resource} ${of} utilization (percentage of request)`
  return { replicas: found.replicas, name, current: current(found) }
}

async function ofPods(metrics: Metrics, asked: Asked, { metric, target }: NonNullable<MetricSpec['pods']>) {
  const { namespace, selector, situation } = asked
  const samples = await saying(`unable to get metric ${metric.name}`, () => metrics.ofPods(namespace, selector, metric))
  const { replicas, average } = byAverage(situation, samples, milliValue(target.averageValue ?? '0'))
  return { replicas, name: `pods metric ${metric.name}`, current: { averageValue: quantity(average) } }
}

/** A value of something else, as it is or divided among the pods. */
function ofValue(
  { situation }: Asked,
  used: number,
  { value, averageValue }: NonNullable<MetricSpec['object']>['target'],
) {
  if (averageValue !== undefined) {
    const { replicas, average } = byShare(situation, used, milliValue(averageValue))
    return { replicas, current: { averageValue: quantity(average) } }
  }
  return { replicas: byValue(situation, used, milliValue(value ?? '0')), current: { value: quantity(used) } }
}

async function ofObject(
  metrics: Metrics,
  asked: Asked,
  { metric, target, describedObject }: NonNullable<MetricSpec['object']>,
) {
  const { kind, name } = describedObject
  const used = await saying(`unable to get metric ${metric.name}: ${kind} on ${asked.namespace} ${name}`, () =>
    metrics.ofObject(asked.namespace, describedObject, metric),
  )
  return { ...ofValue(asked, used, target), name: `${kind} metric ${metric.name}` }
}

async function ofExternal(metrics: Metrics, asked: Asked, { metric, target }: NonNullable<MetricSpec['external']>) {
  const { namespace } = asked
  const used = await saying(`unable to get external metric ${namespace}/${metric.name}`, () =>
    metrics.external(namespace, metric),
  )
  return { ...ofValue(asked, used, target), name: `external metric ${metric.name}` }
}

/** Evaluates a metric. Rejects with a `MetricError`. */
export async function evaluate(metrics: Metrics, asked: Asked, spec: MetricSpec): Promise<Evaluated> {
  const { type, resource, containerResource, pods, object, external } = spec
  const attempt = async <T>(reason: string, what: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw new MetricError(reason, what, error as Error)
    }
  }
  if (resource) {
    const { name } = resource
    const found = await attempt('FailedGetResourceMetric', `${name} resource metric value`, () =>
      resources(metrics, asked, resource),
    )
    return told(found, { type, resource: { name, current: found.current } })
  }
  if (containerResource) {
    const { name, container } = containerResource
    const found = await attempt('FailedGetContainerResourceMetric', `${container} container metric value`, () =>
      resources(metrics, asked, containerResource, container),
    )
    return told(found, { type, containerResource: { name, container, current: found.current } })
  }
  if (pods) {
    const found = await attempt('FailedGetPodsMetric', 'pods metric value', () => ofPods(metrics, asked, pods))
    return told(found, { type, pods: { metric: identity(pods.metric), current: found.current } })
  }
  if (object) {
    const found = await attempt('FailedGetObjectMetric', 'object metric value', () => ofObject(metrics, asked, object))
    const { describedObject, metric } = object
    return told(found, { type, object: { describedObject, metric: identity(metric), current: found.current } })
  }
  if (external) {
    const what = `${external.metric.name} external metric value`
    const found = await attempt('FailedGetExternalMetric', what, () => ofExternal(metrics, asked, external))
    return told(found, { type, external: { metric: identity(external.metric), current: found.current } })
  }
  const problem = new Error(`unknown metric source type ${JSON.stringify(type)}`)
  throw new MetricError('InvalidMetricSourceType', 'metric value', problem)
}

const told = ({ replicas, name }: Pick<Evaluated, 'replicas' | 'name'>, status: MetricStatus): Evaluated => ({
  replicas,
  name,
  status,
})
