/** Taking over an upgraded connection for exec or attach, in the best protocol that the client offers. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { badRequest, statusOf } from '../../api/machinery/status-error.ts'
import type { Clock } from '../../lib/clock.ts'
import type { CommandStreams } from '../node-api.ts'
import { type CommandOptions, runCommand } from './command-channel.ts'
import { SPDY_COMMAND_PROTOCOLS, spdyCommand } from './spdy-command.ts'
import { acceptSpdy, chooseProtocol, upgradeOffer } from './upgrade.ts'
import { acceptWebSocket } from './websocket.ts'
import { COMMAND_PROTOCOLS, webSocketCommand } from './websocket-command.ts'

/** Begins a protocol on a connection. `head` is what was read beyond the upgrade request. */
export type Accept = (socket: Duplex, head: Buffer) => void

/** Gives the exit code. */
export type Run = (streams: CommandStreams) => Promise<number>

/** How to go on with an upgrade request. Throws BadRequest for one in no protocol that is known. */
export function acceptCommand(
  message: IncomingMessage | undefined,
  options: CommandOptions,
  run: Run,
  clock: Clock,
): Accept {
  const offer = message && upgradeOffer(message)
  if (!offer) throw badRequest('Upgrade request required')
  const refuse = (supported: readonly string[]) =>
    badRequest(
      `unable to upgrade: none of the offered protocols [${offer.offered.join(' ')}] is supported: expected one of [${supported.filter(Boolean).join(' ')}]`,
    )
  if (offer.type === 'websocket') {
    const protocol = chooseProtocol(offer.offered, COMMAND_PROTOCOLS)
    if (protocol === undefined) throw refuse(COMMAND_PROTOCOLS)
    return (socket, head) => {
      const connection = acceptWebSocket(socket, head, offer.key, protocol)
      void runCommand(webSocketCommand(connection, protocol, options), run, statusOf)
    }
  }
  const protocol = chooseProtocol(offer.offered, SPDY_COMMAND_PROTOCOLS)
  if (!protocol) throw refuse(SPDY_COMMAND_PROTOCOLS)
  return (socket, head) => {
    spdyCommand(acceptSpdy(socket, head, protocol), protocol, options, clock).then(
      channel => runCommand(channel, run, statusOf),
      // The client went away before there was anything to run, or to tell it.
      () => socket.destroy(),
    )
  }
}
