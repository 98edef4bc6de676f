/**
 * The streaming half of CRI: exec, attach and port-forward at a URL that the runtime gives, over SPDY. WebSocket, which
 * runtimes speak there too, cannot end a command's input.
 */
import { request } from 'node:http'
import type { Duplex } from 'node:stream'
import type { CommandStreams } from '../../../client/node-api.ts'
import { type Link, socketLink } from '../../../client/streams/link.ts'
import { PORT_FORWARD_PROTOCOL } from '../../../client/streams/port-forward.ts'
import { REMOTE_COMMAND_PROTOCOL, remoteCommand } from '../../../client/streams/remote-command.ts'
import { remotePort } from '../../../client/streams/remote-port.ts'
import { RuntimeError } from '../runtime.ts'

/** What a runtime says instead of upgrading is cut off here. */
const BODY_LIMIT = 4096

/** Upgrades a connection to the URL. Rejects with what the runtime answered instead. */
function dial(url: string, protocol: string): Promise<Link> {
  const { promise, resolve, reject } = Promise.withResolvers<Link>()
  const failed = (message: string) => reject(new RuntimeError('StreamError', message))
  const asked = request(url, {
    method: 'POST',
    headers: { Connection: 'Upgrade', Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': protocol, 'Content-Length': 0 },
    agent: false,
  })
  asked.on('error', error => failed(`error dialing the runtime's streaming server: ${error.message}`))
  asked.on('upgrade', (_response, socket, head) => resolve(socketLink(socket, head)))
  asked.on('response', response => {
    let body = ''
    response.setEncoding('utf8').on('data', (text: string) => {
      if (body.length < BODY_LIMIT) body += text
    })
    response.on('end', () => failed(`unable to upgrade connection: ${body.trim() || response.statusCode}`))
  })
  asked.end()
  return promise
}

/** Copies a command's streams until it has ended; resolves with its exit code, 137 when the client went away before. */
export async function copyCommand(url: string, tty: boolean, streams: CommandStreams): Promise<number> {
  const link = await dial(url, REMOTE_COMMAND_PROTOCOL)
  try {
    return await remoteCommand(link, tty, streams)
  } catch (error) {
    if (streams.signal.aborted) return 137
    throw error
  }
}

/** Opens a connection to a port inside of a sandbox. What goes wrong there is its error. */
export const forwardPort = async (url: string, port: number): Promise<Duplex> =>
  remotePort(await dial(url, PORT_FORWARD_PROTOCOL), port)
