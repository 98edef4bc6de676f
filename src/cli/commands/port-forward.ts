import { createServer, type Server, type Socket } from 'node:net'
import type { RawData } from 'ws'
import type { Service } from '../../api/kinds/core/service.ts'
import { request } from '../api.ts'
import { frame, openChannels } from '../channels.ts'
import { defineCommand, NAMESPACE, namespaceOf } from '../command.ts'
import type { Connection, Context } from '../context.ts'
import { UserError } from '../context.ts'
import { podsOf } from '../resources/pods-of.ts'

interface Forward {
  readonly local: number
  readonly remote: number
}

/** `8080`, `8080:80`, `:80`. */
export function parseForward(text: string): Forward {
  const [left = '', right] = text.split(':')
  const remote = Number(right ?? left)
  const local = right === undefined ? remote : Number(left || 0)
  const ok = (port: number, min: number) => Number.isInteger(port) && port >= min && port <= 65535
  if (!ok(remote, 1) || !ok(local, 0))
    throw new UserError(`"${text}" must be PORT, LOCAL:REMOTE or :REMOTE, with ports from 1 to 65535`)
  return { local, remote }
}

/** Joins one local connection with the pod's port, over a WebSocket of its own (channels 0: data, 1: errors). */
async function join(
  context: Context,
  connection: Connection,
  path: string,
  remote: number,
  local: Socket,
): Promise<void> {
  local.pause()
  const socket = await openChannels(connection, `${path}?ports=${remote}`, ['v4.channel.k8s.io'])
  let greetings = 2
  socket.on('message', (data: RawData) => {
    const bytes = data as Buffer
    // The first message of each channel repeats the port.
    if (greetings > 0 && bytes.length === 3) {
      greetings--
      return
    }
    if (bytes[0] === 0) {
      if (!local.write(bytes.subarray(1))) {
        socket.pause()
        local.once('drain', () => socket.resume())
      }
    } else context.io.err(`port ${remote}: ${bytes.subarray(1).toString()}\n`)
  })
  socket.once('close', () => local.end())
  socket.once('error', () => local.destroy())
  local.on('data', (chunk: Buffer) => socket.send(frame(0, chunk)))
  local.once('close', () => socket.close()).once('error', () => socket.terminate())
  local.resume()
}

const listen = (server: Server, port: number) =>
  new Promise<number>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new UserError(
              `port ${port} of this machine is in use`,
              `Take another: ${port + 1}:REMOTE, or :REMOTE for a free one.`,
            )
          : error,
      ),
    )
    server.listen(port, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
  })

export const portForward = defineCommand({
  name: 'port-forward',
  arguments: '<target> <ports...>',
  summary: 'reach a port of a pod on this machine: port-forward deploy/web 8080:80',
  options: [NAMESPACE, { flags: '--kubeconfig <file>', description: 'the cluster to talk to' }],
  async run([target = '', ...ports], options, context) {
    const connection = await context.connect()
    const namespace = namespaceOf(options, connection.namespace)
    const pod = (await podsOf(connection.transport, namespace, target)).find(each => each.status?.phase === 'Running')
    if (!pod) throw new UserError(`no pod of ${target} is running`, `What holds it up: tutti why ${target}`)
    const service = /^(svc|services?)\//.test(target)
      ? await request<Service>(connection.transport, {
          method: 'GET',
          path: `/api/v1/namespaces/${namespace}/services/${target.split('/')[1]}`,
        })
      : undefined
    const path = `/api/v1/namespaces/${namespace}/pods/${pod.metadata?.name}/portforward`
    const servers: Server[] = []
    for (const forward of ports.map(parseForward)) {
      const remote = service ? podPort(service, pod, forward.remote) : forward.remote
      const server = createServer(
        local =>
          void join(context, connection, path, remote, local).catch((error: Error) => {
            context.io.err(`${error.message}\n`)
            local.destroy()
          }),
      )
      const port = await listen(server, forward.local)
      servers.push(server)
      context.io.out(`Forwarding from 127.0.0.1:${port} -> ${remote}\n`)
    }
    await new Promise<void>(resolve => context.signal.addEventListener('abort', () => resolve(), { once: true }))
    for (const server of servers) server.close()
    return 0
  },
})

/** The pod's port behind a service's port. */
function podPort(service: Service, pod: Awaited<ReturnType<typeof podsOf>>[number], port: number): number {
  const target = service.spec?.ports?.find(each => each.port === port)?.targetPort
  if (target === undefined) throw new UserError(`service ${service.metadata?.name} has no port ${port}`)
  if (typeof target === 'number') return target
  const named = pod.spec?.containers
    ?.flatMap(container => container.ports ?? [])
    .find(each => each.name === target)?.containerPort
  if (!named) throw new UserError(`pod ${pod.metadata?.name} has no port named "${target}"`)
  return named
}
