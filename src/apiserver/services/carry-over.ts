/** What an update of a Service keeps of what was allocated, where the client left it out. Pure. */
import { isExternal, needsHealthCheckPort, needsNodePorts, type Service, type ServiceSpec } from './service-shape.ts'

/** Node ports are carried over by the port's name. */
function keepNodePorts(next: ServiceSpec, old: ServiceSpec): void {
  const taken = new Set((next.ports ?? []).map(port => port.nodePort).filter(Boolean))
  for (const port of next.ports ?? []) {
    if (port.nodePort) continue
    const before = old.ports?.find(each => (each.name ?? '') === (port.name ?? ''))?.nodePort
    if (!before || taken.has(before)) continue
    port.nodePort = before
    taken.add(before)
  }
}

/** Fills `next`, in place, from `old`. */
export function carryOver({ spec: next }: Service, { spec: old }: Service): void {
  if (!isExternal(old) && !isExternal(next)) {
    if (!next.clusterIP && old.clusterIP) next.clusterIP = old.clusterIP
    if (!next.clusterIPs?.length && old.clusterIPs) next.clusterIPs = [...old.clusterIPs]
  }
  if (needsNodePorts(old) && needsNodePorts(next)) keepNodePorts(next, old)
  if (needsHealthCheckPort(old) && needsHealthCheckPort(next) && !next.healthCheckNodePort && old.healthCheckNodePort)
    next.healthCheckNodePort = old.healthCheckNodePort
}
