/**
 * Defaults of a Service, and what an update keeps. Addresses and node ports are allocated by the API server
 * (k8s.io/kubernetes `pkg/apis/core/v1/defaults.go`, `pkg/registry/core/service/strategy.go`).
 */
import type { Service, ServiceSpec } from '../../generated/types/core-v1.ts'
import type { RuleContext } from '../../machinery/kind.ts'

const THREE_HOURS = 10_800

/** Reachable from outside the cluster. */
export const isExternal = (spec: ServiceSpec | undefined) =>
  spec?.type === 'LoadBalancer' ||
  spec?.type === 'NodePort' ||
  (spec?.type === 'ClusterIP' && Boolean(spec.externalIPs?.length))

const needsNodePort = (spec: ServiceSpec) => spec.type === 'NodePort' || spec.type === 'LoadBalancer'
const needsClusterIP = (spec: ServiceSpec) => spec.type !== 'ExternalName'

export function defaultService(service: Service): void {
  const { spec } = service
  if (!spec) return
  spec.sessionAffinity ||= 'None'
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig
  else if (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined) {
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: THREE_HOURS } }
  }
  spec.type ||= 'ClusterIP'
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP'
    port.targetPort ||= port.port
  }
  if (isExternal(spec)) spec.externalTrafficPolicy ||= 'Cluster'
  if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ??= 'Cluster'
  if (spec.type === 'LoadBalancer') {
    spec.allocateLoadBalancerNodePorts ??= true
    for (const ingress of service.status?.loadBalancer?.ingress ?? []) if (ingress.ip) ingress.ipMode ??= 'VIP'
  }
}

/** A change of type takes along what the old type had and the new one cannot have. */
function dropByType(spec: ServiceSpec, old: ServiceSpec): void {
  if (needsClusterIP(old) && !needsClusterIP(spec)) {
    if (spec.clusterIP === old.clusterIP) delete spec.clusterIP
    if (spec.clusterIPs?.join() === old.clusterIPs?.join()) delete spec.clusterIPs
    delete spec.ipFamilies
    delete spec.ipFamilyPolicy
    if (spec.internalTrafficPolicy === old.internalTrafficPolicy) delete spec.internalTrafficPolicy
  }
  if (needsNodePort(old) && !needsNodePort(spec)) {
    for (const port of spec.ports ?? []) {
      if (old.ports?.some(one => one.nodePort === port.nodePort)) delete port.nodePort
    }
  }
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === old.allocateLoadBalancerNodePorts) {
      delete spec.allocateLoadBalancerNodePorts
    }
    if (spec.loadBalancerClass === old.loadBalancerClass) delete spec.loadBalancerClass
  }
  const checked = old.type === 'LoadBalancer' && old.externalTrafficPolicy === 'Local'
  const checks = spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local'
  if (checked && !checks && spec.healthCheckNodePort === old.healthCheckNodePort) delete spec.healthCheckNodePort
  if (isExternal(old) && !isExternal(spec) && spec.externalTrafficPolicy === old.externalTrafficPolicy) {
    delete spec.externalTrafficPolicy
  }
}

/** clusterIP is the first of clusterIPs; a client that knows the old field only may write just that one. */
export function prepareService({ spec }: Service): void {
  if (spec?.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP]
}

function syncClusterIPs(spec: ServiceSpec, old: ServiceSpec): void {
  const untouched = spec.clusterIPs?.join() === old.clusterIPs?.join()
  if (spec.clusterIP !== old.clusterIP) {
    if (!spec.clusterIP && untouched) delete spec.clusterIPs
    else if (spec.clusterIP && (untouched || !spec.clusterIPs?.length)) spec.clusterIPs = [spec.clusterIP]
  } else if (!spec.clusterIPs?.length && old.clusterIPs?.length) delete spec.clusterIP
}

export function prepareServiceUpdate(service: Service, old: Service, { subresource }: RuleContext): void {
  if (subresource !== '' || !service.spec || !old.spec) return
  syncClusterIPs(service.spec, old.spec)
  dropByType(service.spec, old.spec)
}
