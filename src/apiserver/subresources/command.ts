/** pods/exec and pods/attach: a command's streams between the client's connection and the node. */
import { badRequest } from '../../api/machinery/status-error.ts'
import type { NodeApi, NodeDirectory, PodRef } from '../../client/node-api.ts'
import { acceptCommand, type Run } from '../../client/streams/accept-command.ts'
import type { CommandOptions } from '../../client/streams/command-channel.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Registry } from '../registry/registry.ts'
import type { Handler, ServerRequest } from '../request.ts'
import { containerOf, type LocatedPod, nodeOf, podRef } from './pod-location.ts'
import { flag, requireKind } from './request-parts.ts'

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
      return { type: 'upgrade', status: 101, accept: acceptCommand(request.upgrade, options, run, clock) }
    },
    async attach(request) {
      const { node, pod, container } = locate(request)
      const options = commandOptions(request.query)
      const run: Run = async streams => {
        await node.attach(pod, { container, tty: options.tty }, streams)
        return 0
      }
      return { type: 'upgrade', status: 101, accept: acceptCommand(request.upgrade, options, run, clock) }
    },
  }
}
