/** The parts of a Service that allocation reads and fills (API doc: core/v1 ServiceSpec). */
import type { KubeObject } from '../../api/machinery/object.ts'

export interface ServicePort {
  name?: string
  protocol?: string
  port: number
  nodePort?: number
}

export interface ServiceSpec {
  type?: string
  clusterIP?: string
  clusterIPs?: string[]
  ipFamilies?: string[]
  ipFamilyPolicy?: string
  ports?: ServicePort[]
  selector?: Record<string, string>
  allocateLoadBalancerNodePorts?: boolean
  externalTrafficPolicy?: string
  healthCheckNodePort?: number
}

export interface Service extends KubeObject {
  spec: ServiceSpec
}

export const HEADLESS = 'None'

export const isExternal = ({ type }: ServiceSpec) => type === 'ExternalName'

export const needsNodePorts = ({ type, allocateLoadBalancerNodePorts }: ServiceSpec) =>
  type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false)

export const needsHealthCheckPort = ({ type, externalTrafficPolicy }: ServiceSpec) =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local'

/** Addresses that a service holds. */
export const heldAddresses = ({ clusterIP, clusterIPs = [] }: ServiceSpec): string[] =>
  [...new Set(clusterIP ? [clusterIP, ...clusterIPs] : clusterIPs)].filter(ip => ip && ip !== HEADLESS)

/** Ports of nodes that a service holds. */
export const heldPorts = ({ ports = [], healthCheckNodePort }: ServiceSpec): number[] =>
  [...ports.map(port => port.nodePort ?? 0), healthCheckNodePort ?? 0].filter(Boolean)
