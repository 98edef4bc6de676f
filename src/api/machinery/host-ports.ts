/** Ports of the node itself that pods take (API doc: core/v1 ContainerPort, hostPort). */
import type { Container, PodSpec } from '../generated/types/core-v1.ts'

export interface HostPort {
  readonly protocol: string
  /** `0.0.0.0` where the pod takes the port of every address. */
  readonly ip: string
  readonly port: number
}

/** All that a pod takes. */
export function hostPortsOf(spec: PodSpec | undefined): HostPort[] {
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])] as Container[]
  return containers.flatMap(container =>
    (container.ports ?? []).flatMap(({ hostPort, hostIP, protocol }) =>
      hostPort ? [{ protocol: protocol || 'TCP', ip: hostIP || '0.0.0.0', port: hostPort }] : [],
    ),
  )
}

/** Whether a node cannot give both. */
export function portsClash(a: HostPort, b: HostPort): boolean {
  if (a.port !== b.port || a.protocol !== b.protocol) return false
  return a.ip === b.ip || a.ip === '0.0.0.0' || b.ip === '0.0.0.0'
}

/** How the scheduler and a node say that a pod's ports are taken. */
export const NO_FREE_PORTS = "node(s) didn't have free ports for the requested pod ports"
