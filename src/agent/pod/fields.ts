/** Values of the downward API (API doc: ObjectFieldSelector, ResourceFieldSelector), for variables and files. */
import type { Pod, ResourceFieldSelector } from '../../api/generated/types/core-v1.ts'
import { isPodLevel } from '../../api/kinds/core/resources.ts'
import { isZeroQuantity, milliValue, parseQuantity, quantityValue } from '../../api/machinery/quantity.ts'
import { allContainers } from './object.ts'

/** Addresses that are known when a container is made. */
export interface PodAddresses {
  readonly hostIPs: readonly string[]
  readonly podIPs: readonly string[]
}

const SUBSCRIPT = /^(metadata\.(?:annotations|labels))\['(.*)'\]$/

/** All entries as a file has them: `key="value"`, sorted. */
const lines = (map: Readonly<Record<string, string>> | undefined) =>
  Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n')

/** The value of a field path; throws for one that is not offered. */
export function fieldValue(pod: Pod, path: string, addresses: PodAddresses): string {
  const { metadata = {}, spec } = pod
  const subscript = SUBSCRIPT.exec(path)
  if (subscript) {
    const map = subscript[1] === 'metadata.labels' ? metadata.labels : metadata.annotations
    return map?.[subscript[2] ?? ''] ?? ''
  }
  switch (path) {
    case 'metadata.name':
      return metadata.name ?? ''
    case 'metadata.namespace':
      return metadata.namespace ?? ''
    case 'metadata.uid':
      return metadata.uid ?? ''
    case 'metadata.labels':
      return lines(metadata.labels)
    case 'metadata.annotations':
      return lines(metadata.annotations)
    case 'spec.nodeName':
      return spec?.nodeName ?? ''
    case 'spec.serviceAccountName':
      return spec?.serviceAccountName ?? ''
    case 'status.hostIP':
      return addresses.hostIPs[0] ?? ''
    case 'status.hostIPs':
      return addresses.hostIPs.join(',')
    case 'status.podIP':
      return addresses.podIPs[0] ?? ''
    case 'status.podIPs':
      return addresses.podIPs.join(',')
    default:
      throw new Error(`unsupported fieldPath: ${path}`)
  }
}

const positive = (amount: string | undefined) => (amount !== undefined && !isZeroQuantity(amount) ? amount : undefined)
/** What the pod as a whole is limited to (KEP-2837). */
const ofPod = ({ spec }: Pod, resource: string) =>
  isPodLevel(resource) ? positive(spec?.resources?.limits?.[resource]) : undefined

/**
 * The value of `limits.cpu`, `requests.memory`, … divided by the divisor and rounded up. A limit that is not set is
 * that of the pod as a whole, or what the node has to give.
 */
export function resourceValue(
  pod: Pod,
  selector: ResourceFieldSelector,
  containerName: string,
  allocatable: Readonly<Record<string, string>>,
): string {
  const name = selector.containerName || containerName
  const container = allContainers(pod).find(each => each.name === name)
  if (!container) throw new Error(`container ${name} not found`)
  const [list = '', ...rest] = selector.resource.split('.')
  const resource = rest.join('.')
  const { limits = {}, requests = {} } = container.resources ?? {}
  const set =
    list === 'limits'
      ? (positive(limits[resource]) ?? ofPod(pod, resource) ?? allocatable[resource])
      : list === 'requests'
        ? requests[resource]
        : undefined
  if (set === undefined && list !== 'limits' && list !== 'requests') {
    throw new Error(`unsupported container resource : ${selector.resource}`)
  }
  const divisor = selector.divisor && parseQuantity(selector.divisor).nano !== 0n ? selector.divisor : '1'
  if (resource === 'cpu') return String(Math.ceil(milliValue(set ?? '0') / milliValue(divisor)))
  return String(Math.ceil(quantityValue(set ?? '0') / quantityValue(divisor)))
}
