/** Limits and requests (k8s.io/kubernetes `pkg/apis/core/validation`: validateResourceRequirements). */
import type { ResourceRequirements } from '../../generated/types/core-v1.ts'
import { duplicate, forbidden, invalid, notFound, notSupported, required } from '../../machinery/field-error.ts'
import { isQualifiedName } from '../../machinery/names.ts'
import { compareQuantities, milliValue } from '../../machinery/quantity.ts'
import { checkFormat, checkLabelName, type Errors } from '../rules.ts'
import { isExtendedResource, isHugePages, isNativeResource, isPodLevel, type ResourceList } from './resources.ts'

const CONTAINER = new Set(['cpu', 'memory', 'ephemeral-storage'])
const STANDARD = new Set([
  ...CONTAINER,
  ...['requests.cpu', 'requests.memory', 'requests.storage', 'requests.ephemeral-storage'],
  ...['limits.cpu', 'limits.memory', 'limits.ephemeral-storage', 'storage', 'pods', 'services'],
  ...['replicationcontrollers', 'resourcequotas', 'secrets', 'configmaps', 'persistentvolumeclaims'],
  ...['services.nodeports', 'services.loadbalancers'],
])
const INTEGER = new Set([
  ...['pods', 'services', 'replicationcontrollers', 'resourcequotas', 'secrets', 'configmaps'],
  ...['persistentvolumeclaims', 'services.nodeports', 'services.loadbalancers'],
])

/** A resource that Kubernetes itself knows, without a prefix. */
export const isStandardResource = (name: string): boolean => STANDARD.has(name)
/** There are only whole ones of it. */
export const isCounted = (name: string): boolean => INTEGER.has(name) || isExtendedResource(name)
/** More of it may be promised than there is. */
export const canOvercommit = (name: string): boolean => isNativeResource(name) && !isHugePages(name)

/** A name that a container can ask for: cpu, memory, ephemeral storage, huge pages, or `vendor.example/thing`. */
export function checkContainerResourceName(name: string, path: string, errors: Errors): void {
  if (CONTAINER.has(name)) return
  const problems = isQualifiedName(name)
  checkFormat(problems, name, path, errors)
  if (!name.includes('/')) {
    if (isHugePages(name)) return
    if (!problems.length && !STANDARD.has(name)) {
      errors.push(invalid(path, name, 'must be a standard resource type or fully qualified'))
    }
    errors.push(invalid(path, name, 'must be a standard resource for containers'))
  } else if (!isNativeResource(name) && !isExtendedResource(name)) {
    errors.push(invalid(path, name, "doesn't follow extended resource name standard"))
  }
}

/** A name that a pod as a whole can ask for. */
export function checkPodResourceName(name: string, path: string, errors: Errors): void {
  const problems = isQualifiedName(name)
  checkFormat(problems, name, path, errors)
  if (problems.length) return
  if (!name.includes('/') && !STANDARD.has(name) && !isHugePages(name)) {
    errors.push(invalid(path, name, 'must be a standard resource type or fully qualified'))
  } else if (!isPodLevel(name)) {
    errors.push(notSupported(path, name, ['cpu', 'hugepages-', 'memory']))
  }
}

/** A quantity is not negative, and whole where the resource is counted. */
export function checkAmount(name: string, amount: string, path: string, errors: Errors): void {
  if (compareQuantities(amount, '0') < 0) errors.push(invalid(path, amount, 'must be greater than or equal to 0'))
  if (isCounted(name) && milliValue(amount) % 1000 !== 0) {
    errors.push(invalid(path, amount, 'must be an integer'))
  }
}

function checkRequest(name: string, amount: string, limit: string | undefined, path: string, errors: Errors): void {
  if (limit === undefined) {
    if (!canOvercommit(name)) {
      errors.push(required(`${path}.limits`, 'Limit must be set for non overcommitable resources'))
    }
    return
  }
  const order = compareQuantities(amount, limit)
  if (order !== 0 && !canOvercommit(name)) {
    errors.push(invalid(`${path}.requests`, amount, `must be equal to ${name} limit of ${limit}`))
  } else if (order > 0) {
    errors.push(invalid(`${path}.requests`, amount, `must be less than or equal to ${name} limit of ${limit}`))
  }
}

/** Limits, requests and claims. `claims` are the names of the pod's resource claims. */
export function checkRequirements(
  resources: ResourceRequirements | undefined,
  claims: ReadonlySet<string>,
  path: string,
  errors: Errors,
  checkName = checkContainerResourceName,
): void {
  if (!resources) return
  const limits: ResourceList = resources.limits ?? {}
  const requests: ResourceList = resources.requests ?? {}
  for (const name in limits) {
    const at = `${path}.limits[${name}]`
    checkName(name, at, errors)
    checkAmount(name, limits[name]!, at, errors)
  }
  for (const name in requests) {
    const at = `${path}.requests[${name}]`
    checkName(name, at, errors)
    checkAmount(name, requests[name]!, at, errors)
    checkRequest(name, requests[name]!, limits[name], path, errors)
  }
  const all = [...Object.keys(limits), ...Object.keys(requests)]
  if (all.some(isHugePages) && !all.some(name => name === 'cpu' || name === 'memory')) {
    errors.push(forbidden(path, 'HugePages require cpu or memory'))
  }
  checkClaims(resources, claims, path, errors)
}

function checkClaims(resources: ResourceRequirements, claims: ReadonlySet<string>, path: string, errors: Errors): void {
  const seen = new Set<string>()
  for (const [index, { name, request = '' }] of (resources.claims ?? []).entries()) {
    const at = `${path}.claims[${index}]`
    const key = request ? `${name}/${request}` : name
    if (!name) {
      errors.push(required(at))
      continue
    }
    if (seen.has(name)) errors.push(duplicate(at, name))
    else {
      if (request) checkLabelName(request, `${at}.request`, errors)
      if (seen.has(key)) errors.push(duplicate(at, request ? key : name))
    }
    if (!claims.has(name)) {
      const what = claims.size ? `: ${[...claims].sort().join(', ')}` : ' which is empty'
      const { message, ...error } = notFound(at, name)
      errors.push({ ...error, message: `${message}: must be one of the names in pod.spec.resourceClaims${what}` })
    }
    seen.add(key)
  }
}
