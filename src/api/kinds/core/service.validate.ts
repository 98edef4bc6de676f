/** Rules of Service: its shape, and which addresses may change (k8s.io/kubernetes `pkg/apis/core/validation`). */
import type { Service, ServicePort, ServiceSpec } from '../../generated/types/core-v1.ts'
import { duplicate, forbidden, invalid, required } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { isPortNumber, validateLabels } from '../../machinery/names.ts'
import { checkCidr, checkEndpointIp, checkIp, ipFamily } from '../ip.ts'
import type { Errors } from '../rules.ts'
import { checkEnum, checkFormat, checkLabelName, checkQualifiedName, checkSubdomain, checkSupported } from '../rules.ts'
import { PROTOCOLS } from './container.validate.ts'
import { checkPort } from './probe.validate.ts'
import { isExternal } from './service.strategy.ts'

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const DISTRIBUTIONS = ['PreferClose', 'PreferSameZone', 'PreferSameNode']
const MAX_AFFINITY_SECONDS = 86_400

const isHeadless = (spec: ServiceSpec) => spec.clusterIPs?.length === 1 && spec.clusterIPs[0] === 'None'

function checkServicePort(port: ServicePort, needsName: boolean, path: string, errors: Errors): void {
  if (port.name) checkLabelName(port.name, `${path}.name`, errors)
  else if (needsName) errors.push(required(`${path}.name`))
  checkFormat(isPortNumber(port.port ?? 0), port.port ?? 0, `${path}.port`, errors)
  checkEnum(port.protocol, PROTOCOLS, `${path}.protocol`, errors)
  checkPort(port.targetPort, `${path}.targetPort`, errors)
  if (port.appProtocol !== undefined) checkQualifiedName(port.appProtocol, `${path}.appProtocol`, errors)
}

function checkPorts(spec: ServiceSpec, errors: Errors): void {
  const ports = spec.ports ?? []
  if (!ports.length && !isHeadless(spec) && spec.type !== 'ExternalName') errors.push(required('spec.ports'))
  const names = new Set<string>()
  const numbers = new Set<string>()
  const nodePorts = new Set<string>()
  for (const [index, port] of ports.entries()) {
    const path = `spec.ports[${index}]`
    checkServicePort(port, ports.length > 1, path, errors)
    if (port.name && names.has(port.name)) errors.push(duplicate(`${path}.name`, port.name))
    if (port.name) names.add(port.name)
    const number = `${port.protocol}/${port.port}`
    if (numbers.has(number)) errors.push(duplicate(path, { protocol: port.protocol, port: port.port }))
    numbers.add(number)
    if (!port.nodePort) continue
    const at = `${path}.nodePort`
    if (spec.type === 'ClusterIP') errors.push(forbidden(at, "may not be used when `type` is 'ClusterIP'"))
    const nodePort = `${port.protocol}/${port.nodePort}`
    if (nodePorts.has(nodePort)) errors.push(duplicate(at, port.nodePort))
    nodePorts.add(nodePort)
  }
}

function checkType(spec: ServiceSpec, errors: Errors): void {
  checkEnum(spec.type, TYPES, 'spec.type', errors)
  if ((spec.type === 'LoadBalancer' || spec.type === 'NodePort') && isHeadless(spec)) {
    errors.push(invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`))
  }
  if (spec.type !== 'ExternalName') return
  const why = 'may not be set for ExternalName services'
  if (spec.clusterIPs?.length) errors.push(forbidden('spec.clusterIPs', why))
  if (spec.ipFamilies?.length) errors.push(forbidden('spec.ipFamilies', why))
  if (spec.ipFamilyPolicy !== undefined) errors.push(forbidden('spec.ipFamilyPolicy', why))
  const name = spec.externalName?.replace(/\.$/, '')
  if (name) checkSubdomain(name, 'spec.externalName', errors)
  else errors.push(required('spec.externalName'))
}

function checkAffinity({ sessionAffinity, sessionAffinityConfig }: ServiceSpec, errors: Errors): void {
  checkEnum(sessionAffinity, ['ClientIP', 'None'], 'spec.sessionAffinity', errors)
  if (sessionAffinity !== 'ClientIP') return
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 0
  if (seconds <= 0 || seconds > MAX_AFFINITY_SECONDS) {
    const at = 'spec.sessionAffinityConfig.clientIP.timeoutSeconds'
    errors.push(invalid(at, seconds, `must be greater than 0 and less than ${MAX_AFFINITY_SECONDS}`))
  }
}

function checkFamilies({ ipFamilies = [], ipFamilyPolicy }: ServiceSpec, errors: Errors): void {
  for (const [index, family] of ipFamilies.entries()) {
    const path = `spec.ipFamilies[${index}]`
    checkSupported(family, ['IPv4', 'IPv6'], path, errors)
    if (ipFamilies.indexOf(family) < index) errors.push(duplicate(path, family))
  }
  checkSupported(ipFamilyPolicy, ['PreferDualStack', 'RequireDualStack', 'SingleStack'], 'spec.ipFamilyPolicy', errors)
}

function checkClusterIPs(spec: ServiceSpec, errors: Errors, old?: ServiceSpec): void {
  if (spec.type === 'ExternalName') return
  const { clusterIP, clusterIPs = [], ipFamilies = [] } = spec
  const path = 'spec.clusterIPs'
  if (clusterIP && clusterIPs[0] !== clusterIP) {
    errors.push(invalid(path, clusterIPs, 'first value must match `clusterIP`'))
  } else if (!clusterIP && clusterIPs.length) {
    errors.push(invalid(path, clusterIPs, 'must be empty when `clusterIP` is not specified'))
  }
  checkFamilies(spec, errors)
  let good = true
  for (const [index, ip] of clusterIPs.entries()) {
    if (index > 0 || ip !== 'None') good = checkIp(ip, `${path}[${index}]`, errors, { before: old?.clusterIPs }) && good
    else if (clusterIPs.length > 1) {
      good = false
      errors.push(invalid(path, clusterIPs, "'None' must be the first and only value"))
    }
  }
  if (clusterIPs.length > 2) errors.push(invalid(path, clusterIPs, 'may only hold up to 2 values'))
  if (!good || isHeadless(spec)) return
  if (clusterIPs.length > 1 && ipFamily(clusterIPs[0]!) === ipFamily(clusterIPs[1]!)) {
    errors.push(invalid(path, clusterIPs, 'may specify no more than one IP for each IP family'))
  }
  for (const [index, ip] of clusterIPs.entries()) {
    const family = ipFamilies[index]
    if ((family === 'IPv4' || family === 'IPv6') && family !== `IPv${ipFamily(ip)}`) {
      const wanted = `expected an ${family} value as indicated by \`ipFamilies[${index}]\``
      errors.push(invalid(`${path}[${index}]`, ip, wanted))
    }
  }
}

/** What is wrong with the addresses and families of a service; found before any address is given to it, too. */
export function clusterIpProblems(spec: ServiceSpec, old?: ServiceSpec): Errors {
  const errors: Errors = []
  checkClusterIPs(spec, errors, old)
  return errors
}

const ONLY_BALANCED = "may only be used when `type` is 'LoadBalancer'"
const RANGES = 'service.beta.kubernetes.io/load-balancer-source-ranges'

/** The ranges as they were given before there was a field. */
function checkAnnotatedRanges({ spec, metadata }: Service, old: Service | undefined, errors: Errors): void {
  const text = metadata?.annotations?.[RANGES]
  if (text === undefined) return
  const path = `metadata.annotations[${RANGES}]`
  if (spec?.type !== 'LoadBalancer') errors.push(forbidden(path, ONLY_BALANCED))
  if (text.trim() === '' || text === old?.metadata?.annotations?.[RANGES]) return
  for (const cidr of text.trim().split(',')) checkCidr(cidr.trim(), path, errors)
}

function checkExternal(service: Service, errors: Errors, old?: Service): void {
  const { spec } = service
  for (const [index, ip] of (spec?.externalIPs ?? []).entries()) {
    const path = `spec.externalIPs[${index}]`
    if (checkIp(ip, path, errors, { before: old?.spec?.externalIPs })) checkEndpointIp(ip, path, errors)
  }
  if (!spec) return
  const policy = spec.externalTrafficPolicy
  if (isExternal(spec)) checkEnum(policy, ['Cluster', 'Local'], 'spec.externalTrafficPolicy', errors)
  else if (policy) {
    errors.push(invalid('spec.externalTrafficPolicy', policy, 'may only be set for externally-accessible services'))
  }
  const checksHealth = spec.type === 'LoadBalancer' && policy === 'Local'
  const port = spec.healthCheckNodePort
  if (!checksHealth && port) {
    const wanted = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
    errors.push(invalid('spec.healthCheckNodePort', port, wanted))
  } else if (port) checkFormat(isPortNumber(port), port, 'spec.healthCheckNodePort', errors)
  if (spec.loadBalancerSourceRanges?.length) {
    const path = 'spec.LoadBalancerSourceRanges'
    if (spec.type !== 'LoadBalancer') errors.push(forbidden(path, ONLY_BALANCED))
    const before = old?.spec?.loadBalancerSourceRanges?.map(each => each.trim())
    for (const [index, cidr] of spec.loadBalancerSourceRanges.entries()) {
      checkCidr(cidr.trim(), `${path}[${index}]`, errors, { before })
    }
  } else checkAnnotatedRanges(service, old, errors)
  if (spec.type === 'LoadBalancer') {
    if (spec.loadBalancerClass !== undefined) {
      checkQualifiedName(spec.loadBalancerClass, 'spec.loadBalancerClass', errors)
    }
    return
  }
  for (const field of ['allocateLoadBalancerNodePorts', 'loadBalancerClass'] as const) {
    if (spec[field] !== undefined) errors.push(forbidden(`spec.${field}`, ONLY_BALANCED))
  }
}

function checkService(service: Service, errors: Errors, old?: Service): void {
  const { spec } = service
  if (!spec) {
    errors.push(required('spec.ports'))
    return
  }
  checkType(spec, errors)
  checkPorts(spec, errors)
  if (spec.selector) errors.push(...validateLabels(spec.selector, 'spec.selector'))
  checkAffinity(spec, errors)
  checkClusterIPs(spec, errors, old?.spec)
  checkExternal(service, errors, old)
  checkSupported(spec.internalTrafficPolicy, ['Cluster', 'Local'], 'spec.internalTrafficPolicy', errors)
  checkSupported(spec.trafficDistribution, DISTRIBUTIONS, 'spec.trafficDistribution', errors)
}

/** What was given stays; a second family may come and go. */
function checkKept(field: 'clusterIPs' | 'ipFamilies', next: ServiceSpec, old: ServiceSpec, errors: Errors): void {
  const [now, before] = [next[field] ?? [], old[field] ?? []]
  const [all, one] = field === 'clusterIPs' ? ['clusterIPs', 'clusterIP'] : ['ipFamilies', 'ipFamily']
  const unset = field === 'clusterIPs' ? now.length === 0 : !next.clusterIPs?.length
  if (before.length > now.length && unset) {
    errors.push(invalid(`spec.${all}[0]`, now, `primary ${one} can not be unset`))
  }
  const shared = before.length === now.length ? now.length : Math.min(now.length, before.length, 1)
  for (let index = 0; index < shared; index++) {
    if (now[index] !== before[index]) {
      errors.push(invalid(`spec.${all}[${index}]`, now, 'may not change once set'))
    }
  }
  if (before.length > now.length && now.length === 1 && next.ipFamilyPolicy !== 'SingleStack') {
    const wanted = `must be set to 'SingleStack' when releasing the secondary ${one}`
    errors.push(invalid('spec.ipFamilyPolicy', next.ipFamilyPolicy, wanted))
  }
}

function checkUpdate({ spec: next }: Service, { spec: old }: Service, errors: Errors): void {
  if (!next || !old || next.type === 'ExternalName' || old.type === 'ExternalName') return
  const [headless, wasHeadless] = [isHeadless(next), isHeadless(old)]
  if (!headless || !wasHeadless) checkKept('clusterIPs', next, old, errors)
  if (!headless && !wasHeadless) checkKept('ipFamilies', next, old, errors)
  if (next.type === 'LoadBalancer' && old.type === 'LoadBalancer') {
    if (next.loadBalancerClass !== old.loadBalancerClass) {
      errors.push(invalid('spec.loadBalancerClass', next.loadBalancerClass, 'may not change once set'))
    }
    const local = next.externalTrafficPolicy === 'Local' && old.externalTrafficPolicy === 'Local'
    if (local && next.healthCheckNodePort !== old.healthCheckNodePort) {
      errors.push(forbidden('spec.healthCheckNodePort', 'field is immutable'))
    }
  }
}

function checkStatus({ spec, status }: Service, old: Service | undefined, errors: Errors): void {
  const before = old?.status?.loadBalancer?.ingress?.map(({ ip = '' }) => ip)
  const ingress = status?.loadBalancer?.ingress ?? []
  if (ingress.length && spec?.type !== 'LoadBalancer') {
    errors.push(forbidden('status.loadBalancer.ingress', "may only be used when `spec.type` is 'LoadBalancer'"))
  }
  for (const [index, { ip, ipMode, hostname }] of ingress.entries()) {
    const path = `status.loadBalancer.ingress[${index}]`
    if (ip) checkIp(ip, `${path}.ip`, errors, { before })
    if (ipMode !== undefined) {
      if (!ip) errors.push(forbidden(`${path}.ipMode`, 'may not be specified when `ip` is not set'))
      else checkEnum(ipMode, ['Proxy', 'VIP'], `${path}.ipMode`, errors)
    }
    if (!hostname) continue
    checkSubdomain(hostname, `${path}.hostname`, errors)
    if (ipFamily(hostname)) errors.push(invalid(`${path}.hostname`, hostname, 'must be a DNS name, not an IP address'))
  }
}

export const serviceRules: readonly Rule<Service>[] = [
  (next, old, { subresource }) => {
    const errors: Errors = []
    if (subresource === 'status') checkStatus(next, old, errors)
    else {
      if (old) checkUpdate(next, old, errors)
      checkService(next, errors, old)
    }
    return errors
  },
]
