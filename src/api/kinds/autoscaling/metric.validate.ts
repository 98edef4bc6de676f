/** What an autoscaler measures (k8s.io/kubernetes `pkg/apis/autoscaling/validation`). */
import type {
  CrossVersionObjectReference,
  MetricIdentifier,
  MetricSpec,
  MetricTarget,
} from '../../generated/types/autoscaling-v2.ts'
import { forbidden, invalid, required } from '../../machinery/field-error.ts'
import { isPathSegment } from '../../machinery/names.ts'
import { canonicalQuantity, compareQuantities, quantityProblem } from '../../machinery/quantity.ts'
import { checkContainerResourceName } from '../core/resources.validate.ts'
import { checkFormat, checkLabelName, checkSupported, type Errors } from '../rules.ts'
import { groupOf } from './group-of.ts'

function checkSegment(value: string | undefined, path: string, why: string, errors: Errors): void {
  if (value) checkFormat(isPathSegment(value), value, path, errors)
  else errors.push(required(path, why))
}

/** A reference by version, kind and name. `core`: kinds of the core group may be meant. */
export function checkObjectReference(
  { apiVersion = '', kind, name }: CrossVersionObjectReference,
  core: boolean,
  path: string,
  errors: Errors,
): void {
  checkSegment(kind, `${path}.kind`, '', errors)
  checkSegment(name, `${path}.name`, '', errors)
  const group = groupOf(apiVersion)
  const at = `${path}.apiVersion`
  if (group === undefined) errors.push(invalid(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`))
  else if (!group && !core) errors.push(invalid(at, apiVersion, 'apiVersion must specify API group'))
}

const TARGETS = ['Utilization', 'Value', 'AverageValue']

function checkTarget(target: MetricTarget, path: string, errors: Errors): void {
  const { type = '', averageUtilization } = target
  if (!type) errors.push(required(`${path}.type`, 'must specify a metric target type'))
  if (!TARGETS.includes(type)) {
    errors.push(invalid(`${path}.type`, type, 'must be either Utilization, Value, or AverageValue'))
  }
  for (const field of ['value', 'averageValue'] as const) {
    const amount = target[field]
    if (amount === undefined || quantityProblem(amount) !== undefined || compareQuantities(amount, '0') > 0) continue
    errors.push(invalid(`${path}.${field}`, canonicalQuantity(amount), 'must be positive'))
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    errors.push(invalid(`${path}.averageUtilization`, averageUtilization, 'must be greater than 0'))
  }
}

const checkMetric = (metric: MetricIdentifier | undefined, path: string, errors: Errors) =>
  checkSegment(metric?.name, `${path}.metric.name`, 'must specify a metric name', errors)

/** Either a raw value or a share of what is requested. */
function checkUse(target: MetricTarget, path: string, errors: Errors): void {
  const { averageUtilization: share, averageValue: raw } = target
  checkTarget(target, path, errors)
  if (share === undefined && raw === undefined) {
    const what = 'must set either a target raw value or a target utilization'
    errors.push(required(`${path}.averageUtilization`, what))
  }
  if (share !== undefined && raw !== undefined) {
    errors.push(forbidden(`${path}.averageValue`, 'may not set both a target raw value and a target utilization'))
  }
}

const EMPTY = {} as MetricTarget

type Check<T> = (source: T, path: string, errors: Errors) => void

/** The kinds of metrics, in the order of the messages. */
const SOURCES: { readonly [F in Exclude<keyof MetricSpec, 'type'>]-?: Check<NonNullable<MetricSpec[F]>> } = {
  object({ describedObject, metric, target = EMPTY }, path, errors) {
    checkObjectReference(describedObject ?? {}, true, `${path}.describedObject`, errors)
    checkMetric(metric, path, errors)
    checkTarget(target, `${path}.target`, errors)
    if (target.value !== undefined || target.averageValue !== undefined) return
    errors.push(required(`${path}.target.averageValue`, 'must set either a target value or averageValue'))
  },
  external({ metric, target = EMPTY }, path, errors) {
    checkMetric(metric, path, errors)
    checkTarget(target, `${path}.target`, errors)
    const [total, each] = [target.value !== undefined, target.averageValue !== undefined]
    if (!total && !each) {
      const what = 'must set either a target value for metric or a per-pod target'
      errors.push(required(`${path}.target.averageValue`, what))
    }
    if (total && each) {
      errors.push(forbidden(`${path}.target.value`, 'may not set both a target value for metric and a per-pod target'))
    }
  },
  pods({ metric, target = EMPTY }, path, errors) {
    checkMetric(metric, path, errors)
    checkTarget(target, `${path}.target`, errors)
    if (target.averageValue !== undefined) return
    errors.push(required(`${path}.target.averageValue`, 'must specify a positive target averageValue'))
  },
  resource({ name, target = EMPTY }, path, errors) {
    if (!name) errors.push(required(`${path}.name`, 'must specify a resource name'))
    checkUse(target, `${path}.target`, errors)
  },
  containerResource({ name, container, target = EMPTY }, path, errors) {
    if (name) checkContainerResourceName(name, `${path}.name`, errors)
    else errors.push(required(`${path}.name`, 'must specify a resource name'))
    if (container) checkLabelName(container, `${path}.container`, errors)
    else errors.push(required(`${path}.container`, 'must specify a container'))
    checkUse(target, `${path}.target`, errors)
  },
}

const FIELDS = Object.keys(SOURCES) as (keyof typeof SOURCES)[]
const TYPES = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource']
const fieldOf = (type: string) =>
  FIELDS.find(field => TYPES.includes(type) && field.toLowerCase() === type.toLowerCase())

/** One metric: its type, and the one field that goes with it. */
export function checkMetricSpec(spec: MetricSpec, path: string, errors: Errors): void {
  const type = spec.type ?? ''
  if (!type) errors.push(required(`${path}.type`, 'must specify a metric source type'))
  checkSupported(type, TYPES, `${path}.type`, errors)
  const present = FIELDS.filter(field => spec[field])
  const [first] = present
  if (first) (SOURCES[first] as Check<unknown>)(spec[first], `${path}.${first}`, errors)
  const wanted = fieldOf(type)
  if (wanted && !spec[wanted]) {
    errors.push(required(`${path}.${wanted}`, 'must populate information for the given metric source'))
  }
  if (present.length === 1) return
  for (const field of present) {
    if (field !== wanted) errors.push(forbidden(`${path}.${field}`, 'must populate the given metric source only'))
  }
}
