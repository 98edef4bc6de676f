/** Warnings about Services (k8s.io/kubernetes `pkg/api/service/warnings.go`). */
import type { Service, ServiceSpec } from '../../generated/types/core-v1.ts'
import { addressWarnings, cidrWarnings } from '../ip-warnings.ts'

const HINTS = 'service.kubernetes.io/topology-aware-hints'
const EXTERNAL_NAME = 'ExternalName'

const isHeadless = ({ type, clusterIP }: ServiceSpec) => type === 'ClusterIP' && clusterIP === 'None'

function ofHeadless(spec: ServiceSpec): string[] {
  const ignored = [
    ...(spec.loadBalancerIP ? ['loadBalancerIP'] : []),
    ...(spec.externalIPs?.length ? ['externalIPs'] : []),
    ...(spec.sessionAffinity !== 'None' ? ['SessionAffinity'] : []),
  ]
  return ignored.map(field => `spec.${field} is ignored for headless services`)
}

function ofTypes(spec: ServiceSpec): string[] {
  const found: string[] = []
  const isName = spec.type === EXTERNAL_NAME
  if (isName && spec.externalIPs?.length) found.push(`spec.externalIPs is ignored when spec.type is "${EXTERNAL_NAME}"`)
  if (!isName && spec.externalName) found.push(`spec.externalName is ignored when spec.type is not "${EXTERNAL_NAME}"`)
  if (spec.trafficDistribution === 'PreferClose') {
    found.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
  }
  return found
}

export function serviceWarnings({ metadata, spec }: Service): string[] {
  const found: string[] = []
  if (metadata?.annotations?.[HINTS] !== undefined) {
    found.push(`annotation ${HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead`)
  }
  if (!spec) return found
  const headless = isHeadless(spec)
  const addresses = (field: 'clusterIPs' | 'externalIPs') =>
    (spec[field] ?? []).flatMap((ip, index) => addressWarnings(ip, `spec.${field}[${index}]`))
  if (spec.clusterIP && !headless) found.push(...addresses('clusterIPs'))
  if (headless) found.push(...ofHeadless(spec))
  found.push(...addresses('externalIPs'))
  if (spec.externalIPs?.length && !headless && spec.type !== EXTERNAL_NAME) {
    found.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters')
  }
  if (spec.loadBalancerIP) found.push(...addressWarnings(spec.loadBalancerIP, 'spec.loadBalancerIP'))
  for (const [index, cidr] of (spec.loadBalancerSourceRanges ?? []).entries()) {
    found.push(...cidrWarnings(cidr, `spec.loadBalancerSourceRanges[${index}]`))
  }
  return [...found, ...ofTypes(spec)]
}
