import type { Duplex } from 'node:stream'

/** Passes bytes both ways until both sides have ended; what breaks or closes on one side ends the other. */
export function joinStreams(client: Duplex, server: Duplex): void {
  client.on('error', () => server.destroy())
  server.on('error', () => client.destroy())
  client.on('close', () => server.destroy())
  server.on('close', () => client.destroy())
  client.pipe(server)
  server.pipe(client)
}
