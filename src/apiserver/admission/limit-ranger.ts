/** LimitRanger: what a container, a pod or a claim may ask for at least and at most, and what it gets unasked. */
import type {
  Container,
  LimitRange,
  LimitRangeItem,
  PersistentVolumeClaim,
  Pod,
} from '../../api/generated/types/core-v1.ts'
import type { ResourceList } from '../../api/kinds/core/resources.ts'
import { canonicalQuantity, compareQuantities, isZeroQuantity, milliValue } from '../../api/machinery/quantity.ts'
import { podAmounts } from '../../api/quota/pod-resources.ts'
import type { KindReader } from '../registry/registry.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.ts'
import { refuse } from './refusal.ts'

const ANNOTATION = 'kubernetes.io/limit-ranger'

interface Asked {
  readonly requests: ResourceList
  readonly limits: ResourceList
}

/** Fills what is absent in `own` from `defaults`, in place; the names that were, as the annotation lists them. */
function fill(own: ResourceList, defaults: ResourceList): string[] {
  const set = Object.keys(defaults).filter(name => own[name] === undefined)
  for (const name of set) own[name] = defaults[name]!
  return set.sort()
}

function fillContainer(container: Container, defaults: Asked, what: string): string[] {
  const { requests = {}, limits = {}, ...rest } = container.resources ?? {}
  const [setLimits, setRequests] = [fill(limits, defaults.limits), fill(requests, defaults.requests)]
  container.resources = {
    ...rest,
    ...(Object.keys(limits).length && { limits }),
    ...(Object.keys(requests).length && { requests }),
  }
  return [
    ...(setRequests.length ? [`${setRequests.join(', ')} request for ${what} ${container.name}`] : []),
    ...(setLimits.length ? [`${setLimits.join(', ')} limit for ${what} ${container.name}`] : []),
  ]
}

/** Gives the containers of a pod what a range has for those that say nothing, in place. */
function applyDefaults(range: LimitRange, pod: Pod): void {
  const items = (range.spec?.limits ?? []).filter(item => item.type === 'Container')
  const defaults = {
    requests: Object.assign({}, ...items.map(item => item.defaultRequest)),
    limits: Object.assign({}, ...items.map(item => item.default)),
  }
  const { containers = [], initContainers = [] } = pod.spec ?? {}
  const set = [
    ...containers.flatMap(each => fillContainer(each, defaults, 'container')),
    ...initContainers.flatMap(each => fillContainer(each, defaults, 'init container')),
  ]
  if (!set.length) return
  const metadata = (pod.metadata ??= {})
  metadata.annotations = { ...metadata.annotations, [ANNOTATION]: `LimitRanger plugin set: ${set.join('; ')}` }
}

function belowMinimum(head: string, min: string, request?: string, limit?: string): string | undefined {
  if (request === undefined) return `${head}.  No request is specified`
  if (compareQuantities(request, min) < 0) return `${head}, but request is ${canonicalQuantity(request)}`
  if (limit !== undefined && compareQuantities(limit, min) < 0)
    return `${head}, but limit is ${canonicalQuantity(limit)}`
  return undefined
}

function aboveMaximum(head: string, max: string, request?: string, limit?: string): string | undefined {
  if (limit === undefined) return `${head}.  No limit is specified`
  if (compareQuantities(limit, max) > 0) return `${head}, but limit is ${canonicalQuantity(limit)}`
  if (request !== undefined && compareQuantities(request, max) > 0)
    return `${head}, but request is ${canonicalQuantity(request)}`
  return undefined
}

function aboveRatio(head: string, most: string, request?: string, limit?: string): string | undefined {
  if (request === undefined || isZeroQuantity(request)) return `${head}, but no request is specified or request is 0`
  if (limit === undefined || isZeroQuantity(limit)) return `${head}, but no limit is specified or limit is 0`
  const ratio = milliValue(limit) / milliValue(request)
  return ratio * 1000 > milliValue(most) ? `${head}, but provided ratio is ${ratio.toFixed(6)}` : undefined
}

/** What is wrong with amounts, for one item of a range. */
function* faults({ type, min, max, maxLimitRequestRatio }: LimitRangeItem, { requests, limits }: Asked) {
  for (const [name, amount] of Object.entries(min ?? {}))
    yield belowMinimum(
      `minimum ${name} usage per ${type} is ${canonicalQuantity(amount)}`,
      amount,
      requests[name],
      limits[name],
    )
  for (const [name, amount] of Object.entries(max ?? {}))
    yield aboveMaximum(
      `maximum ${name} usage per ${type} is ${canonicalQuantity(amount)}`,
      amount,
      requests[name],
      limits[name],
    )
  for (const [name, amount] of Object.entries(maxLimitRequestRatio ?? {}))
    yield aboveRatio(
      `${name} max limit to request ratio per ${type} is ${canonicalQuantity(amount)}`,
      amount,
      requests[name],
      limits[name],
    )
}

/** A claim has no limits: its request is what may not be too large. */
function* claimFaults({ type, min, max }: LimitRangeItem, requests: ResourceList) {
  for (const [name, amount] of Object.entries(min ?? {}))
    yield belowMinimum(`minimum ${name} usage per ${type} is ${canonicalQuantity(amount)}`, amount, requests[name])
  for (const [name, amount] of Object.entries(max ?? {})) {
    const head = `maximum ${name} usage per ${type} is ${canonicalQuantity(amount)}`
    const request = requests[name]
    if (request === undefined) yield `${head}.  No request is specified`
    else if (compareQuantities(request, amount) > 0) yield `${head}, but request is ${canonicalQuantity(request)}`
  }
}

function* podFaults(item: LimitRangeItem, pod: Pod) {
  const { containers = [], initContainers = [] } = pod.spec ?? {}
  if (item.type === 'Container')
    for (const { resources } of [...containers, ...initContainers])
      yield* faults(item, { requests: resources?.requests ?? {}, limits: resources?.limits ?? {} })
  else if (item.type === 'Pod')
    yield* faults(item, { requests: podAmounts(pod, 'requests'), limits: podAmounts(pod, 'limits') })
}

function judge(request: AdmissionAttributes, range: LimitRange): void {
  const found = new Set<string>()
  for (const item of range.spec?.limits ?? []) {
    const claim = request.object as PersistentVolumeClaim
    const each =
      request.kind.key === 'v1/pods'
        ? podFaults(item, request.object as Pod)
        : item.type === 'PersistentVolumeClaim'
          ? claimFaults(item, claim.spec?.resources?.requests ?? {})
          : []
    for (const fault of each) if (fault) found.add(fault)
  }
  const all = [...found]
  if (all.length) throw refuse(request, all.length === 1 ? all[0]! : `[${all.join(', ')}]`)
}

/** What the plugin looks at: pods when they are made or resized, claims whenever they are written. */
function concerns({ kind, subresource, operation, old }: AdmissionAttributes): boolean {
  if (old?.metadata?.deletionTimestamp) return false
  if (kind.key === 'v1/pods')
    return subresource === '' ? operation === 'CREATE' : subresource === 'resize' && operation === 'UPDATE'
  return (
    kind.key === 'v1/persistentvolumeclaims' && subresource === '' && (operation === 'CREATE' || operation === 'UPDATE')
  )
}

/** The plugin over the limit ranges of the cluster. */
export function limitRanger(ranges: KindReader): AdmissionPlugin {
  const here = ({ namespace }: AdmissionAttributes) => ranges.list(namespace).map(each => each.value as LimitRange)
  return {
    name: 'LimitRanger',
    handles: concerns,
    mutate(request) {
      if (request.kind.key === 'v1/pods') for (const range of here(request)) applyDefaults(range, request.object as Pod)
    },
    validate(request) {
      for (const range of here(request)) judge(request, range)
    },
  }
}
