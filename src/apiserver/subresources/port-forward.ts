/** pods/portforward: TCP connections into a pod, in each of the protocols that clients speak. */
import { badRequest } from '../../api/machinery/status-error.ts'
import type { NodeDirectory } from '../../client/node-api.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Registry } from '../registry/registry.ts'
import type { Answer, Handler, ServerRequest } from '../request.ts'
import {
  CHANNEL_PROTOCOLS,
  type Connect,
  forwardOverChannels,
  forwardOverSpdy,
  PORT_FORWARD_PROTOCOL,
  TUNNEL_PROTOCOL,
} from '../streams/port-forward.ts'
import { acceptSpdy, chooseProtocol, upgradeOffer } from '../streams/upgrade.ts'
import { acceptWebSocket, webSocketLink } from '../streams/websocket.ts'
import { type LocatedPod, nodeOf, podRef } from './pod-location.ts'
import { requireKind } from './request-parts.ts'

/** The ports of the query, as WebSocket clients name them. */
function portsOf(query: URLSearchParams): number[] {
  const ports = query
    .getAll('ports')
    .flatMap(value => value.split(','))
    .map(Number)
  const bad = ports.find(port => !Number.isInteger(port) || port < 1 || port > 65535)
  if (bad !== undefined || ports.length === 0)
    throw badRequest('query parameter "ports" is required and holds ports from 1 to 65535')
  return ports
}

function overWebSocket(
  request: ServerRequest,
  key: string,
  offered: readonly string[],
  connect: Connect,
  clock: Clock,
): Answer {
  const protocol = chooseProtocol(offered, [TUNNEL_PROTOCOL, ...CHANNEL_PROTOCOLS])
  if (protocol === undefined)
    throw badRequest(`unable to upgrade: none of [${offered.join(' ')}] is supported: expected ${TUNNEL_PROTOCOL}`)
  const ports = protocol === TUNNEL_PROTOCOL ? [] : portsOf(request.query)
  return {
    type: 'upgrade',
    status: 101,
    accept(socket, head) {
      const connection = acceptWebSocket(socket, head, key, protocol)
      if (protocol === TUNNEL_PROTOCOL) void forwardOverSpdy(webSocketLink(connection), connect, clock)
      else void forwardOverChannels(connection, protocol.includes('base64'), ports, connect)
    },
  }
}

/** The handler. */
export function portForwardHandler(registry: Registry, nodes: NodeDirectory, clock: Clock): Handler {
  const pods = requireKind(registry, 'v1/pods')
  return async request => {
    const { namespace, name } = request.info
    const pod = registry.get(pods, { namespace, name }).value as LocatedPod
    const node = nodeOf(pod, nodes)
    const connect: Connect = port => node.connect(podRef(pod), port, 'inside')
    const offer = request.upgrade && upgradeOffer(request.upgrade)
    if (!offer) throw badRequest('Upgrade request required')
    if (offer.type === 'websocket') return overWebSocket(request, offer.key, offer.offered, connect, clock)
    if (!offer.offered.includes(PORT_FORWARD_PROTOCOL))
      throw badRequest(`unable to upgrade: expected the protocol ${PORT_FORWARD_PROTOCOL}`)
    return {
      type: 'upgrade',
      status: 101,
      accept(socket, head) {
        void forwardOverSpdy(acceptSpdy(socket, head, PORT_FORWARD_PROTOCOL), connect, clock)
      },
    }
  }
}
