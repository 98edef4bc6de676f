/** WebSockets (RFC 6455): what a backend has agreed to is passed on byte for byte. */
import type { Duplex } from 'node:stream'

/** Passes bytes both ways until both sides have ended; what breaks on one side breaks on the other. */
export function join(client: Duplex, backend: Duplex): void {
  client.on('error', () => backend.destroy())
  backend.on('error', () => client.destroy())
  client.on('close', () => backend.destroy())
  backend.on('close', () => client.destroy())
  client.pipe(backend)
  backend.pipe(client)
}
