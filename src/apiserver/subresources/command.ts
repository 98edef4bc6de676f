/** pods/exec and pods/attach: a command's streams between the client's connection and the node. */
import { badRequest, statusOf } from '../../api/machinery/status-error.ts'
import type { CommandStreams, NodeApi, NodeDirectory, PodRef } from '../../client/node-api.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Registry } from '../registry/registry.ts'
import type { Answer, Handler, ServerRequest } from '../request.ts'
import { type CommandOptions, runCommand } from '../streams/command-channel.ts'
import { SPDY_COMMAND_PROTOCOLS, spdyCommand } from '../streams/spdy-command.ts'
import { acceptSpdy, chooseProtocol, upgradeOffer } from '../streams/upgrade.ts'
import { acceptWebSocket } from '../streams/websocket.ts'
import { COMMAND_PROTOCOLS, webSocketCommand } from '../streams/websocket-command.ts'
import { containerOf, type LocatedPod, nodeOf, podRef } from './pod-location.ts'
import { flag, requireKind } from './request-parts.ts'

/** Gives the exit code. */
type Run = (streams: CommandStreams) => Promise<number>

function commandOptions(query: URLSearchParams): CommandOptions {
  const options = {
    stdin: flag(query, 'stdin'),
    stdout: flag(query, 'stdout'),
    stderr: flag(query, 'stderr'),
    tty: flag(query, 'tty'),
  }
  if (!options.stdin && !options.stdout && !options.stderr)
    throw badRequest('you must specify at least 1 of stdin, stdout, stderr')
  return options
}

/** Takes over the connection in the best protocol that the client offers, and runs the command over it. */
function upgrade(request: ServerRequest, options: CommandOptions, run: Run, clock: Clock): Answer {
  const offer = request.upgrade && upgradeOffer(request.upgrade)
  if (!offer) throw badRequest('Upgrade request required')
  const refuse = (supported: readonly string[]) =>
    badRequest(
      `unable to upgrade: none of the offered protocols [${offer.offered.join(' ')}] is supported: expected one of [${supported.filter(Boolean).join(' ')}]`,
    )
  if (offer.type === 'websocket') {
    const protocol = chooseProtocol(offer.offered, COMMAND_PROTOCOLS)
    if (protocol === undefined) throw refuse(COMMAND_PROTOCOLS)
    return {
      type: 'upgrade',
      status: 101,
      accept(socket, head) {
        const connection = acceptWebSocket(socket, head, offer.key, protocol)
        void runCommand(webSocketCommand(connection, protocol, options), run, statusOf)
      },
    }
  }
  const protocol = chooseProtocol(offer.offered, SPDY_COMMAND_PROTOCOLS)
  if (!protocol) throw refuse(SPDY_COMMAND_PROTOCOLS)
  return {
    type: 'upgrade',
    status: 101,
    accept(socket, head) {
      spdyCommand(acceptSpdy(socket, head, protocol), protocol, options, clock).then(
        channel => runCommand(channel, run, statusOf),
        // The client went away before there was anything to run, or to tell it.
        () => socket.destroy(),
      )
    },
  }
}

interface Located {
  readonly node: NodeApi
  readonly pod: PodRef
  readonly container: string
}

/** The handlers of both. */
export function commandHandlers(
  registry: Registry,
  nodes: NodeDirectory,
  clock: Clock,
): { exec: Handler; attach: Handler } {
  const pods = requireKind(registry, 'v1/pods')
  const locate = ({ info, query }: ServerRequest): Located => {
    const pod = registry.get(pods, { namespace: info.namespace, name: info.name }).value as LocatedPod
    const container = containerOf(
      pod,
      query.get('container') ?? '',
      (unknown, of) => `container ${unknown} is not valid for pod ${of}`,
    )
    return { node: nodeOf(pod, nodes), pod: podRef(pod), container }
  }
  return {
    async exec(request) {
      const { node, pod, container } = locate(request)
      const options = commandOptions(request.query)
      const command = request.query.getAll('command')
      if (!command.length) throw badRequest('you must specify at least one command for the container')
      const run: Run = async streams =>
        (await node.exec(pod, { container, command, tty: options.tty }, streams)).exitCode
      return upgrade(request, options, run, clock)
    },
    async attach(request) {
      const { node, pod, container } = locate(request)
      const options = commandOptions(request.query)
      const run: Run = async streams => {
        await node.attach(pod, { container, tty: options.tty }, streams)
        return 0
      }
      return upgrade(request, options, run, clock)
    },
  }
}
