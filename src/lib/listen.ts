/** Listening for connections on several addresses of a machine at one port. */
import { createServer, type Server, type Socket } from 'node:net'

export interface Listening {
  readonly port: number
  close(): void
}

const listenAt = (
  place: { readonly host: string; readonly port: number } | { readonly fd: number },
  onConnection: (socket: Socket) => void,
): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, onConnection)
    server.once('error', reject)
    server.listen(place, () => {
      server.off('error', reject)
      server.unref()
      resolve(server)
    })
  })

/**
 * Takes the port at every host, once where one is said twice, or a free port for 0. Rejects, with nothing left open,
 * with an error that has a `code` (EADDRINUSE, EACCES). What listens does not keep the program alive.
 */
export async function listenOn(
  hosts: readonly string[],
  port: number,
  onConnection: (socket: Socket) => void,
): Promise<Listening> {
  const servers: Server[] = []
  const close = () => {
    for (const server of servers) server.close()
  }
  let taken = port
  try {
    for (const host of new Set(hosts)) {
      const server = await listenAt({ host, port: taken }, onConnection)
      servers.push(server)
      taken = (server.address() as { port: number }).port
    }
  } catch (error) {
    close()
    throw error
  }
  return { port: taken, close }
}

/** Accepts from a socket that listens already, by the number that it has in this process, and closes it in the end. */
export async function acceptFrom(fd: number, onConnection: (socket: Socket) => void): Promise<{ close(): void }> {
  const server = await listenAt({ fd }, onConnection)
  return { close: () => void server.close() }
}

/** Why a port could not be had, in words for people. */
export function whyNoPort(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return 'another program has it'
  if (code === 'EACCES') return 'the system keeps it for root (sysctl net.ipv4.ip_unprivileged_port_start)'
  return message
}
