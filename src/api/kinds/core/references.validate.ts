/** References to fields, resources and keys of other objects, as environment variables and volumes make them. */
import type { FileKeySelector, ObjectFieldSelector, ResourceFieldSelector } from '../../generated/types/core-v1.ts'
import { invalid, notSupported, required } from '../../machinery/field-error.ts'
import { isConfigMapKey, isDns1123Subdomain, isEnvVarName } from '../../machinery/names.ts'
import { canonicalQuantity, isZeroQuantity, quantityProblem } from '../../machinery/quantity.ts'
import type { Errors } from '../rules.ts'
import { checkFormat, checkLabelName, checkQualifiedName } from '../rules.ts'
import { checkNoBacksteps } from './paths.validate.ts'

export const ENV_FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]
export const VOLUME_FIELDS = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
]
const KNOWN_FIELDS = new Set([...ENV_FIELDS, ...VOLUME_FIELDS])

const RESOURCES = ['cpu', 'ephemeral-storage', 'memory'].flatMap(name => [`limits.${name}`, `requests.${name}`]).sort()
const isResource = (name: string) => RESOURCES.includes(name) || /^(requests|limits)\.hugepages-/.test(name)
const SIZES = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei']

/** `metadata.labels['app']` and the like; `fields` are those allowed without a subscript. */
export function checkFieldRef(ref: ObjectFieldSelector, fields: readonly string[], path: string, errors: Errors): void {
  const at = `${path}.fieldPath`
  if (!ref.fieldPath) {
    errors.push(required(at))
    return
  }
  if (ref.apiVersion && ref.apiVersion !== 'v1') {
    const problem = `error converting fieldPath: unsupported pod version: ${ref.apiVersion}`
    errors.push(invalid(at, ref.fieldPath, problem))
    return
  }
  const subscripted = /^(.*)\['([^']*)'\]$/.exec(ref.fieldPath)
  const [name, key] = subscripted ? [subscripted[1]!, subscripted[2]!] : [ref.fieldPath, undefined]
  const isMap = name === 'metadata.annotations' || name === 'metadata.labels'
  if (!KNOWN_FIELDS.has(name) || (key !== undefined && !isMap)) {
    const what = key === undefined ? 'not supported' : 'does not support subscript'
    errors.push(invalid(at, ref.fieldPath, `error converting fieldPath: field label ${what}: ${ref.fieldPath}`))
  } else if (key === undefined) {
    if (!fields.includes(name)) errors.push(notSupported(at, name, fields))
  } else if (name === 'metadata.annotations') checkQualifiedName(key.toLowerCase(), path, errors)
  else checkQualifiedName(key, path, errors)
}

function checkDivisor({ resource, divisor }: ResourceFieldSelector, path: string, errors: Errors): void {
  if (divisor === undefined || quantityProblem(divisor) !== undefined || isZeroQuantity(divisor)) return
  if (!isResource(resource)) return
  const [, name = ''] = resource.split(/\.(.*)/s)
  const canonical = canonicalQuantity(divisor)
  const at = `${path}.divisor`
  if (name === 'cpu') {
    if (canonical === '1' || canonical === '1m') return
    errors.push(invalid(at, resource, "only divisor's values 1m and 1 are supported with the cpu resource"))
    return
  }
  const what =
    name === 'ephemeral-storage' ? 'local ephemeral storage' : name.startsWith('hugepages-') ? 'hugepages' : name
  if (SIZES.includes(canonical)) return
  errors.push(
    invalid(at, resource, `only divisor's values ${SIZES.join(', ')} are supported with the ${what} resource`),
  )
}

/** A container's own limit or request. In a volume the container must be named. */
export function checkResourceRef(ref: ResourceFieldSelector, inVolume: boolean, path: string, errors: Errors): void {
  if (inVolume && !ref.containerName) errors.push(required(`${path}.containerName`))
  else if (!ref.resource) errors.push(required(`${path}.resource`))
  else if (!isResource(ref.resource)) {
    errors.push(notSupported(`${path}.resource`, ref.resource, RESOURCES))
  }
  if (ref.resource) checkDivisor(ref, path, errors)
}

/** A variable in a file of a volume. */
export function checkFileKeyRef({ key, volumeName, path: file }: FileKeySelector, path: string, errors: Errors): void {
  if (!key) errors.push(required(`${path}.key`))
  else checkFormat(isEnvVarName(key), key, `${path}.key`, errors)
  if (!volumeName) errors.push(required(`${path}.volumeName`))
  else checkLabelName(volumeName, `${path}.volumeName`, errors)
  if (!file) errors.push(required(`${path}.path`))
  else checkNoBacksteps(file, `${path}.path`, errors)
}

/** A key of a config map or secret. */
export function checkKeyRef(ref: { name?: string; key: string }, path: string, errors: Errors): void {
  checkFormat(isDns1123Subdomain(ref.name ?? ''), ref.name ?? '', `${path}.name`, errors)
  if (!ref.key) errors.push(required(`${path}.key`))
  else checkFormat(isConfigMapKey(ref.key), ref.key, `${path}.key`, errors)
}
