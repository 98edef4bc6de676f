/**
 * The way into a rootless cluster from the machine. The porter is the parent process, outside; it starts the program
 * inside the namespace and opens listening sockets for it on the machine's loopback, which it hands over as they are: a
 * socket belongs to the network in which it was made, wherever the process lives that accepts from it. So no byte of
 * traffic goes through the porter.
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { IdMaps } from '../../lib/user-namespace.ts'
import type { HostListen } from '../load-balancer/load-balancers.ts'
import { LOOPBACK } from '../service-proxy/service-ports.ts'
import { forward } from '../service-proxy/userspace/forward.ts'
import { ensureHolder, enterHolder } from './holder.ts'

/** Set for programs that live in the namespace of a rootless cluster. */
export const ROOTLESS_ENV = 'TUTTI_ROOTLESS'

interface Ask {
  readonly porter: 'listen'
  readonly id: number
  readonly port: number
  /** The bare socket is wanted, from which nobody accepts yet. */
  readonly bare: boolean
}

interface Reply {
  readonly porter: 'listening' | 'refused'
  readonly id: number
  readonly port?: number
  readonly code?: string
  readonly message?: string
}

const isAsk = (message: unknown): message is Ask => (message as Ask | undefined)?.porter === 'listen'

/** Opens the socket that was asked for and hands it over. */
function answer(child: ChildProcess, { id, port, bare }: Ask): void {
  const server = createServer()
  server.once('error', (error: NodeJS.ErrnoException) => {
    const reply: Reply = { porter: 'refused', id, message: error.message, ...(error.code && { code: error.code }) }
    child.send(reply)
  })
  server.listen({ host: LOOPBACK, port, exclusive: true }, () => {
    const reply: Reply = { porter: 'listening', id, port: (server.address() as AddressInfo).port }
    // A channel takes the handle of a server as well, though its types do not say so.
    const handle = bare ? (server as unknown as { _handle: Server })._handle : server
    // Ours is a copy of the socket; the one inside goes on.
    child.send(reply, handle, () => server.close())
  })
}

export interface InsideProgram {
  readonly dataDir: string
  readonly command: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** The users of a namespace that is made for it; absent: this one alone. */
  readonly users?: IdMaps | undefined
  /** As for `spawn`; a channel to the porter is added behind. */
  readonly stdio: Exclude<StdioOptions, string>
}

/**
 * Starts a Node program inside the namespace of the cluster (made where it does not stand), and serves it until it
 * ends. To be called in a process outside, which stays as long as the child.
 */
export async function startInside(program: InsideProgram): Promise<ChildProcess> {
  const holder = await ensureHolder(program.dataDir, program.users)
  const [command, ...prefix] = enterHolder(holder)
  const child = spawn(command!, [...prefix, program.command, ...program.args], {
    cwd: '/',
    env: { ...(program.env ?? process.env), [ROOTLESS_ENV]: '1' },
    stdio: [...program.stdio, 'ipc'],
  })
  child.on('message', message => {
    if (isAsk(message)) answer(child, message)
  })
  return child
}

/** Whether this process lives in the namespace of a rootless cluster. */
export const isInside = () => process.env[ROOTLESS_ENV] === '1'

/** A listening socket of this process, as the system numbers it. */
export interface BareSocket {
  readonly fd: number
  readonly port: number
}

/** For the program inside: the loopback of the machine, by way of the porter. */
export interface HostPorts {
  readonly listen: HostListen
  /** For a thread that accepts by itself. Whoever closes the number gives the port back. */
  socket(port: number): Promise<BareSocket>
}

interface Given {
  readonly handle: unknown
  readonly port: number
}

/** Begins to ask the porter. */
export function openHostPorts(parent: NodeJS.Process = process): HostPorts {
  const waiting = new Map<number, { resolve(given: Given): void; reject(error: Error): void }>()
  /** They are never closed: their numbers are somebody else's. */
  const lent: unknown[] = []
  let asked = 0
  parent.on('message', (message: Reply, handle: unknown) => {
    const job = waiting.get(message?.id)
    if (!job || !message.porter) return
    waiting.delete(message.id)
    if (waiting.size === 0) parent.channel?.unref()
    if (message.porter === 'listening') job.resolve({ handle, port: message.port ?? 0 })
    else job.reject(Object.assign(new Error(message.message), { code: message.code }))
  })
  parent.channel?.unref()
  async function ask(port: number, bare: boolean): Promise<Given> {
    if (!parent.send || !parent.connected)
      throw new Error('the porter outside the namespace is gone: tutti down, then up')
    const id = asked++
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject })
      // The channel keeps the program alive only while it is asked something.
      parent.channel?.ref()
      const message: Ask = { porter: 'listen', id, port, bare }
      parent.send!(message, undefined, undefined, error => error && reject(error))
    })
  }
  return {
    async listen(port, onConnection) {
      const server = (await ask(port, false)).handle as Server
      // A server that came over the channel has the default options.
      Object.assign(server, { allowHalfOpen: true, noDelay: true })
      server.on('connection', onConnection)
      return { port: (server.address() as AddressInfo).port, close: () => void server.close() }
    },
    async socket(wanted) {
      const { handle, port } = await ask(wanted, true)
      lent.push(handle)
      return { fd: (handle as { fd: number }).fd, port }
    },
  }
}

/** Makes a port inside the namespace answer on the machine's loopback under the same number: the API server's. */
export const publishPort = (listen: HostListen, port: number) =>
  listen(port, (socket: Socket) => forward(socket, [{ address: LOOPBACK, port }]))
