/** What an upgrade request asks for, and the answer that begins each protocol. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type Link, socketLink } from './link.ts'

/** `websocket` with the subprotocols that the client offers, or `spdy` with its protocol versions. */
export type UpgradeOffer =
  | { readonly type: 'websocket'; readonly key: string; readonly offered: readonly string[] }
  | { readonly type: 'spdy'; readonly offered: readonly string[] }

const list = (value: string | string[] | undefined) =>
  (Array.isArray(value) ? value.join(',') : (value ?? ''))
    .split(',')
    .map(each => each.trim())
    .filter(Boolean)

/** Reads an upgrade request; undefined when it asks for neither protocol. */
export function upgradeOffer(message: IncomingMessage): UpgradeOffer | undefined {
  const { headers } = message
  const upgrade = (headers.upgrade ?? '').toLowerCase()
  if (upgrade === 'websocket') {
    const key = headers['sec-websocket-key']
    return key ? { type: 'websocket', key, offered: list(headers['sec-websocket-protocol']) } : undefined
  }
  return upgrade === 'spdy/3.1' ? { type: 'spdy', offered: list(headers['x-stream-protocol-version']) } : undefined
}

/** The best of `supported` that was offered. `''` in `supported` serves a client that offers nothing. */
export function chooseProtocol<T extends string>(offered: readonly string[], supported: readonly T[]): T | undefined {
  return supported.find(each => (each === '' ? offered.length === 0 : offered.includes(each)))
}

/** Answers an upgrade to SPDY/3.1 with 101 and gives the link. */
export function acceptSpdy(socket: Duplex, head: Buffer, protocol: string): Link {
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
  )
  return socketLink(socket, head)
}
