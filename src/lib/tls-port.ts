/** How ports of this program speak TLS, with HTTP/1.1 and HTTP/2 (by ALPN) behind it. */
import type { Server } from 'node:https'
import { DEFAULT_CIPHERS, type TLSSocket } from 'node:tls'

/** A connection that has not agreed on TLS after this time is cut, in ms. */
const HANDSHAKE = 15_000

/** For `node:https`' `createServer`, beside the certificate. */
export const TLS_OPTIONS = {
  ALPNProtocols: ['h2', 'http/1.1'],
  handshakeTimeout: HANDSHAKE,
  minVersion: 'TLSv1.2',
  // The shorter key is as safe and a third faster.
  ciphers: `TLS_AES_128_GCM_SHA256:${DEFAULT_CIPHERS}`,
  honorCipherOrder: true,
} as const

/** Has `begin` take the connections that agreed on HTTP/2. What fails on any is heard. */
export function takeHttp2(server: Server, begin: (socket: TLSSocket) => void): void {
  // What Node does with a connection is right for one of HTTP/1.1.
  const http1 = server.listeners('secureConnection') as ((socket: TLSSocket) => void)[]
  server.removeAllListeners('secureConnection')
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => {})
    if (socket.alpnProtocol === 'h2') begin(socket)
    else for (const each of http1) each.call(server, socket)
  })
}
