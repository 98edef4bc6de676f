/** The end of a connection, so that the last answer on it is read. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from './clock.ts'

/** For how long after a last answer, in ms, and how much, in bytes, of what a client still sends is thrown away. */
const LINGER = 1000
const LINGER_BYTES = 64 << 20

/** Ends a connection on this side, and closes it when the client has ended it, too, or had the time for it. */
export function endGently(socket: Duplex, clock: Clock): void {
  const timer = clock.after(LINGER, () => socket.destroy())
  socket.once('close', () => timer.cancel())
  let left = LINGER_BYTES
  socket.on('data', ({ length }) => {
    left -= length
    if (left < 0) socket.destroy()
  })
  socket.end()
}

/**
 * Has clients read an answer that ends their connection before they have said all: Node closes it with the answer, and
 * the system answers what comes after that with a reset, which may reach a client before the answer does. (Go's server
 * waits for half a second.)
 */
export function lingerAtEnd(server: Pick<Server, 'on'>, clock: Clock): void {
  server.on('request', (message: IncomingMessage, response: ServerResponse) => {
    if (response.shouldKeepAlive) return
    const { socket } = message
    const close = socket.destroySoon.bind(socket)
    // What Node calls when the last answer of a connection is written.
    socket.destroySoon = () => {
      if (message.complete) return close()
      // Whoever has begun to read it wants no more.
      message.on('end', close).resume()
      endGently(socket, clock)
    }
  })
}
