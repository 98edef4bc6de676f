/** A client of a test that goes on sending when it has been answered. */
import { once } from 'node:events'
import { connect } from 'node:tls'

const PIECE = Buffer.alloc(1 << 20, 'x')

/**
 * Sends a POST with a body that does not end, over HTTP/1.1 and TLS: `megabytes` of it, and 4 more when the server has
 * answered and ended its side. Resolves with the answer; rejects where the connection is reset.
 */
export async function sendBeyondAnswer(
  to: { readonly host: string; readonly port: number; readonly ca: string },
  path: string,
  megabytes: number,
): Promise<string> {
  const options = { ...to, allowHalfOpen: true }
  const socket = connect(options)
  const send = (bytes: string | Buffer) =>
    new Promise<void>((resolve, reject) => socket.write(bytes, error => (error ? reject(error) : resolve())))
  try {
    let text = ''
    socket.on('data', chunk => (text += chunk)).on('error', () => {})
    const ended = once(socket, 'end')
    await send(
      `POST ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\n\r\n`,
    )
    for (let at = 0; at < megabytes; at++) await send(PIECE)
    await ended
    for (let at = 0; at < 4; at++) await send(PIECE)
    return text
  } finally {
    socket.destroy()
  }
}
