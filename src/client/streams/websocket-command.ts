/**
 * exec and attach over WebSocket: the first byte of a message is its channel. `v5.channel.k8s.io` adds closing one
 * channel (`ff` and its number), which is how stdin ends (KEP-4006).
 */
import {
  type CommandChannel,
  type CommandOptions,
  commandInputs,
  commandStreams,
  parseSize,
} from './command-channel.ts'
import type { WebSocketConnection, WebSocketMessage } from './websocket.ts'

const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const

/** Best first. The older ones have no exit codes: their error channel holds text. '' is a client that names none. */
export const COMMAND_PROTOCOLS = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
  'channel.k8s.io',
  'base64.channel.k8s.io',
  '',
] as const
export type CommandProtocol = (typeof COMMAND_PROTOCOLS)[number]

/** In base64 protocols the channel is a digit and the rest is base64 text. */
function decode(message: WebSocketMessage, base64: boolean): { channel: number; data: Buffer } {
  const { data } = message
  if (!base64) return { channel: data[0]!, data: data.subarray(1) }
  return { channel: data[0]! - 0x30, data: Buffer.from(data.toString('latin1', 1), 'base64') }
}

/** Opens the channel of a command over a connection. */
export function webSocketCommand(
  connection: WebSocketConnection,
  protocol: CommandProtocol,
  options: CommandOptions,
): CommandChannel {
  const base64 = protocol.includes('base64')
  const inputs = commandInputs(options)
  const gone = new AbortController()
  const send = (channel: number, data: Uint8Array) =>
    base64
      ? connection.send(true, Buffer.from(channel + Buffer.from(data).toString('base64')))
      : connection.send(false, Buffer.of(channel), data)

  const take = async (message: WebSocketMessage) => {
    if (message.data.length === 0) return
    const { channel, data } = decode(message, base64)
    if (channel === CHANNEL.stdin) await inputs.stdin?.push(data)
    else if (channel === CHANNEL.resize) {
      const size = parseSize(data)
      if (size) void inputs.resize?.push(size)
    } else if (channel === CHANNEL.close && protocol === 'v5.channel.k8s.io' && data[0] === CHANNEL.stdin)
      inputs.stdin?.end()
  }
  const read = async () => {
    for await (const message of connection.messages) await take(message)
    inputs.stdin?.end()
    inputs.resize?.end()
    gone.abort()
  }
  void read()
  connection.signal.addEventListener('abort', () => gone.abort(), { once: true })
  // An empty message tells older clients that the command is being started.
  void send(options.stdout ? CHANNEL.stdout : options.stderr ? CHANNEL.stderr : CHANNEL.error, Buffer.alloc(0))

  return {
    streams: commandStreams(options, inputs, (output, chunk) => send(CHANNEL[output], chunk), gone.signal),
    async finish(status) {
      const { status: outcome, message } = status as { status?: string; message?: string }
      if (protocol.startsWith('v')) await send(CHANNEL.error, Buffer.from(JSON.stringify(status)))
      else if (outcome !== 'Success') await send(CHANNEL.error, Buffer.from(message ?? ''))
      connection.close()
      inputs.stdin?.cancel()
      inputs.resize?.cancel()
    },
  }
}
