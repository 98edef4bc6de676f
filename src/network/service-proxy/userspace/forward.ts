/** Carrying one TCP connection to another address. */
import { connect, type Socket } from 'node:net'
import type { Backend } from '../service-ports.ts'

/**
 * Connects a client to the first of `backends` that accepts, and passes bytes both ways until both have ended. Where
 * none accepts the client is reset. No timers: a connection may be idle for as long as it likes.
 */
export function forward(client: Socket, backends: readonly Backend[]): void {
  const [first, ...rest] = backends
  if (!first || client.destroyed) {
    client.resetAndDestroy()
    return
  }
  const upstream = connect({ host: first.address, port: first.port, allowHalfOpen: true, noDelay: true })
  const refused = () => forward(client, rest)
  // What the client says before the backend accepts waits in its socket.
  const clientGone = () => upstream.destroy()
  upstream.once('error', refused)
  client.once('close', clientGone)
  client.on('error', () => {})
  upstream.once('connect', () => {
    upstream.off('error', refused)
    client.off('close', clientGone)
    const reset = (socket: Socket) => () => {
      if (!socket.destroyed) socket.resetAndDestroy()
    }
    upstream.on('error', reset(client))
    client.on('error', reset(upstream))
    upstream.on('close', () => client.destroySoon())
    client.on('close', () => upstream.destroySoon())
    client.pipe(upstream)
    upstream.pipe(client)
  })
}
