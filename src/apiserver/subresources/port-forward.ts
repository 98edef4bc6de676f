/** pods/portforward: connections between the client and ports of a pod. */
import { badRequest } from '../../api/machinery/status-error.ts'
import type { NodeDirectory } from '../../client/node-api.ts'
import { acceptPortForward, portsOf } from '../../client/streams/accept-port-forward.ts'
import type { Connect } from '../../client/streams/port-forward.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Registry } from '../registry/registry.ts'
import type { Handler } from '../request.ts'
import { type LocatedPod, nodeOf, podRef } from './pod-location.ts'
import { requireKind } from './request-parts.ts'

/** The handler. */
export function portForwardHandler(registry: Registry, nodes: NodeDirectory, clock: Clock): Handler {
  const pods = requireKind(registry, 'v1/pods')
  return async request => {
    const { namespace, name } = request.info
    const pod = registry.get(pods, { namespace, name }).value as LocatedPod
    const node = nodeOf(pod, nodes)
    const connect: Connect = port => node.connect(podRef(pod), port, 'inside')
    if (!request.upgrade) throw badRequest('Upgrade request required')
    const ports = () => portsOf(request.query.getAll('ports'), 'ports')
    return { type: 'upgrade', status: 101, accept: acceptPortForward(request.upgrade, ports, connect, clock) }
  }
}
