import type { Duplex } from 'node:stream'
import type { Clock } from './clock.ts'
import { endGently } from './linger.ts'

/** Writes the answer to an HTTP/1.1 upgrade that is refused, and ends the connection: its socket is raw by then. */
export function refuseUpgrade(socket: Duplex, status: number, contentType: string, text: string, clock: Clock): void {
  const body = Buffer.from(text)
  socket.write(
    `HTTP/1.1 ${status} Refused\r\nContent-Type: ${contentType}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`,
  )
  socket.write(body)
  endGently(socket, clock)
}
