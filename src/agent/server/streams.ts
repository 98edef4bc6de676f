/** exec, attach and port-forward on a node's own port, by the kubelet's paths. */
import type { IncomingMessage } from 'node:http'
import { badRequest, StatusError } from '../../api/machinery/status-error.ts'
import type { NodeApi, PodRef } from '../../client/node-api.ts'
import { type Accept, acceptCommand } from '../../client/streams/accept-command.ts'
import { acceptPortForward, portsOf } from '../../client/streams/accept-port-forward.ts'
import type { Clock } from '../../lib/clock.ts'

export interface StreamDeps {
  readonly api: NodeApi
  /** The pod of this name, where it has this uid or none was named. Throws StatusError where there is none. */
  find(namespace: string, name: string, uid?: string): PodRef
  readonly clock: Clock
}

const flag = (query: URLSearchParams, name: string) => query.get(name) === '1' || query.get(name) === 'true'

function commandOptions(query: URLSearchParams) {
  const options = {
    stdin: flag(query, 'input'),
    stdout: flag(query, 'output'),
    stderr: flag(query, 'error'),
    tty: flag(query, 'tty'),
  }
  if (!options.stdin && !options.stdout && !options.stderr)
    throw badRequest('you must specify at least 1 of stdin, stdout, stderr')
  return options
}

/**
 * How to go on with an upgrade request to `/exec/NAMESPACE/POD[/UID]/CONTAINER`, `/attach/…` or
 * `/portForward/NAMESPACE/POD[/UID]`. Throws StatusError; 404 for other paths.
 */
export function acceptStream(deps: StreamDeps, message: IncomingMessage, path: string, query: URLSearchParams): Accept {
  const [, verb = '', ...names] = path.split('/').map(decodeURIComponent)
  const { api, clock } = deps
  if (verb === 'portForward' && (names.length === 2 || names.length === 3)) {
    const [namespace = '', name = '', uid] = names
    const pod = deps.find(namespace, name, uid)
    const ports = () => portsOf(query.getAll('port'), 'port')
    return acceptPortForward(message, ports, port => api.connect(pod, port, 'inside'), clock)
  }
  if ((verb !== 'exec' && verb !== 'attach') || names.length < 3 || names.length > 4) throw pathUnknown()
  const [namespace = '', name = ''] = names
  const container = names.at(-1)!
  const pod = deps.find(namespace, name, names.length === 4 ? names[2] : undefined)
  const options = commandOptions(query)
  const { tty } = options
  if (verb === 'attach')
    return acceptCommand(
      message,
      options,
      async streams => {
        await api.attach(pod, { container, tty }, streams)
        return 0
      },
      clock,
    )
  const command = query.getAll('command')
  if (!command.length) throw badRequest('you must specify at least one command for the container')
  return acceptCommand(
    message,
    options,
    async streams => (await api.exec(pod, { container, command, tty }, streams)).exitCode,
    clock,
  )
}

const pathUnknown = () =>
  new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: '404 page not found',
    reason: 'NotFound',
    code: 404,
  })
