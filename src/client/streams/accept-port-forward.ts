/** Taking over an upgraded connection for port-forward, in the best protocol that the client offers. */
import type { IncomingMessage } from 'node:http'
import { badRequest } from '../../api/machinery/status-error.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Accept } from './accept-command.ts'
import {
  CHANNEL_PROTOCOLS,
  type Connect,
  forwardOverChannels,
  forwardOverSpdy,
  PORT_FORWARD_PROTOCOL,
  TUNNEL_PROTOCOL,
} from './port-forward.ts'
import { acceptSpdy, chooseProtocol, upgradeOffer } from './upgrade.ts'
import { acceptWebSocket, webSocketLink } from './websocket.ts'

/** Ports as WebSocket clients name them, each maybe several with commas between. Throws BadRequest. */
export function portsOf(values: readonly string[], parameter: string): number[] {
  const ports = values.flatMap(value => value.split(',')).map(Number)
  const bad = ports.find(port => !Number.isInteger(port) || port < 1 || port > 65535)
  if (bad !== undefined || ports.length === 0)
    throw badRequest(`query parameter "${parameter}" is required and holds ports from 1 to 65535`)
  return ports
}

/** How to go on with an upgrade request; `ports` is asked where the protocol does not name them itself. Throws BadRequest. */
export function acceptPortForward(
  message: IncomingMessage | undefined,
  ports: () => readonly number[],
  connect: Connect,
  clock: Clock,
): Accept {
  const offer = message && upgradeOffer(message)
  if (!offer) throw badRequest('Upgrade request required')
  if (offer.type === 'websocket') {
    const protocol = chooseProtocol(offer.offered, [TUNNEL_PROTOCOL, ...CHANNEL_PROTOCOLS])
    if (protocol === undefined)
      throw badRequest(
        `unable to upgrade: none of [${offer.offered.join(' ')}] is supported: expected ${TUNNEL_PROTOCOL}`,
      )
    const named = protocol === TUNNEL_PROTOCOL ? [] : ports()
    return (socket, head) => {
      const connection = acceptWebSocket(socket, head, offer.key, protocol)
      if (protocol === TUNNEL_PROTOCOL) void forwardOverSpdy(webSocketLink(connection), connect, clock)
      else void forwardOverChannels(connection, protocol.includes('base64'), named, connect)
    }
  }
  if (!offer.offered.includes(PORT_FORWARD_PROTOCOL))
    throw badRequest(`unable to upgrade: expected the protocol ${PORT_FORWARD_PROTOCOL}`)
  return (socket, head) => {
    void forwardOverSpdy(acceptSpdy(socket, head, PORT_FORWARD_PROTOCOL), connect, clock)
  }
}
