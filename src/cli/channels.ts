/** WebSocket connections to the API server's streaming endpoints (channel protocols v5 and v4). */
import type WebSocket from 'ws'
import type { Status } from '../api/machinery/status-error.ts'
import { StatusError } from '../api/machinery/status-error.ts'
import type { Connection } from './context.ts'
import { UserError } from './context.ts'

/** Opens a connection that speaks one of `protocols`. Rejects with what the server answered instead of 101. */
export async function openChannels(
  { server, tls, token }: Connection,
  path: string,
  protocols: readonly string[],
): Promise<WebSocket> {
  // Loaded with the first connection: it brings Node's whole HTTP along.
  const { WebSocket } = await import('ws')
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${server.replace(/^http/, 'ws')}${path}`, [...protocols], {
      ...tls,
      perMessageDeflate: false,
      ...(token ? { headers: { authorization: `Bearer ${token}` } } : {}),
    })
    socket.binaryType = 'nodebuffer'
    socket.once('open', () => resolve(socket))
    socket.once('error', error => reject(new UserError(`the connection to ${path} failed: ${error.message}`)))
    socket.once('unexpected-response', (_request, response) => {
      let text = ''
      response.setEncoding('utf8').on('data', chunk => {
        text += chunk
      })
      response.on('end', () => {
        try {
          reject(StatusError.from(JSON.parse(text) as Status))
        } catch {
          reject(
            new UserError(
              `the server answered ${response.statusCode} instead of opening ${path}: ${text.slice(0, 200)}`,
            ),
          )
        }
      })
    })
  })
}

/** A message for one channel: its number, then the bytes. */
export const frame = (channel: number, bytes: Uint8Array) => Buffer.concat([Buffer.of(channel), bytes])
