/** The TARGETS cell of an autoscaler: `cpu: 40%/80%`. */
import type { MetricSpec, MetricStatus, MetricTarget, MetricValueStatus } from '../../generated/types/autoscaling-v2.ts'

const UNKNOWN = '<unknown>'

const amount = (target: MetricTarget, current: MetricValueStatus | undefined) =>
  target.averageValue === undefined
    ? `${current?.value ?? UNKNOWN}/${target.value}`
    : `${current?.averageValue ?? UNKNOWN}/${target.averageValue} (avg)`

function resource(name: string, target: MetricTarget, current: MetricValueStatus | undefined): string {
  if (target.averageValue !== undefined) return `${name}: ${current?.averageValue ?? UNKNOWN}/${target.averageValue}`
  const percent = (value: number | undefined, none: string) => (value === undefined ? none : `${value}%`)
  return `${name}: ${percent(current?.averageUtilization, UNKNOWN)}/${percent(target.averageUtilization, '<auto>')}`
}

function formatMetric(spec: MetricSpec, status: MetricStatus | undefined): string {
  if (spec.external) return amount(spec.external.target, status?.external?.current)
  if (spec.object) return amount(spec.object.target, status?.object?.current)
  if (spec.pods) return `${status?.pods?.current.averageValue ?? UNKNOWN}/${spec.pods.target.averageValue}`
  if (spec.resource) return resource(spec.resource.name, spec.resource.target, status?.resource?.current)
  if (spec.containerResource) {
    const { name, target } = spec.containerResource
    return resource(name, target, status?.containerResource?.current)
  }
  return '<unknown type>'
}

/** The first two metrics with what is and what should be. */
export function formatMetrics(specs: readonly MetricSpec[] | undefined, statuses: readonly MetricStatus[]): string {
  if (!specs?.length) return '<none>'
  const shown = specs.slice(0, 2).map((spec, index) => formatMetric(spec, statuses[index]))
  return specs.length > 2 ? `${shown.join(', ')} + ${specs.length - 2} more...` : shown.join(', ')
}
