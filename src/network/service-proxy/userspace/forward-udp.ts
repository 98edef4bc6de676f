/**
 * Carrying UDP to other addresses: what a client sends goes to one backend for as long as it keeps sending, and what
 * comes back goes to that client. There is no end of a flow but silence.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import type { Clock, Timer } from '../../../lib/clock.ts'
import type { Backend } from '../service-ports.ts'

/** Milliseconds of silence after which a client is drawn anew: as the kernel has it for flows with answers. */
const SILENCE = 120_000
/** How many clients one port carries at a time; the longest known goes first. */
const CLIENTS = 1000

interface Flow {
  readonly backend: Backend
  readonly socket: Socket
  heard: number
  timer: Timer
}

export interface UdpListener {
  /** Ends flows to backends that are not in the list. */
  keep(backends: readonly Backend[]): void
  close(): void
}

/** Listens on `host`. `choose` names the backend of a new client. Rejects when the port is taken. */
export async function listenUdp(
  { host, port }: { readonly host: string; readonly port: number },
  choose: (client: string) => Backend | undefined,
  clock: Clock,
): Promise<UdpListener> {
  const server = createSocket('udp4')
  const flows = new Map<string, Flow>()

  function end(id: string) {
    const flow = flows.get(id)
    flows.delete(id)
    flow?.timer.cancel()
    flow?.socket.close()
  }
  /** One timer a flow: when it rings, it looks when something was last heard. */
  function watch(id: string, after: number): Timer {
    return clock.after(after, () => {
      const flow = flows.get(id)
      if (!flow) return
      const left = flow.heard + SILENCE - clock.elapsed()
      if (left > 0) flow.timer = watch(id, left)
      else end(id)
    })
  }
  function open(id: string, { address, port: from }: RemoteInfo): Flow | undefined {
    const backend = choose(address)
    if (!backend) return undefined
    if (flows.size >= CLIENTS) end(flows.keys().next().value!)
    const socket = createSocket('udp4')
    // Nobody listens there: the client hears nothing, as from a lost packet.
    socket.on('error', () => {})
    socket.on('message', message => server.send(message, from, address))
    const flow = { backend, socket, heard: clock.elapsed(), timer: watch(id, SILENCE) }
    flows.set(id, flow)
    return flow
  }

  server.on('message', (message, client) => {
    const id = `${client.address} ${client.port}`
    const flow = flows.get(id) ?? open(id, client)
    if (!flow) return
    flow.heard = clock.elapsed()
    flow.socket.send(message, flow.backend.port, flow.backend.address)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).bind(port, host, () => {
      server.off('error', reject).on('error', () => {})
      resolve()
    })
  })
  return {
    keep(backends) {
      for (const [id, { backend }] of flows)
        if (!backends.some(({ address, port: at }) => address === backend.address && at === backend.port)) end(id)
    },
    close() {
      for (const id of flows.keys()) end(id)
      server.close()
    },
  }
}
