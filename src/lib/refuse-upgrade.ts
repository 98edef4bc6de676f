import type { Duplex } from 'node:stream'

/** Writes the answer to an HTTP/1.1 upgrade that is refused, and ends the connection: its socket is raw by then. */
export function refuseUpgrade(socket: Duplex, status: number, contentType: string, text: string): void {
  const body = Buffer.from(text)
  socket.write(
    `HTTP/1.1 ${status} Refused\r\nContent-Type: ${contentType}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`,
  )
  socket.end(body)
}
