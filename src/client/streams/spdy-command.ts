/**
 * exec and attach over SPDY/3.1: one stream each for error, stdin, stdout, stderr and resize, told apart by the header
 * `streamtype` (k8s.io/api documentation of remote command, protocols v1 to v5).
 */
import type { Clock } from '../../lib/clock.ts'
import {
  type CommandChannel,
  type CommandOptions,
  commandInputs,
  commandStreams,
  parseSize,
} from './command-channel.ts'
import type { Link } from './link.ts'
import { type SpdyStream, serveSpdy } from './spdy.ts'

/** Best first. From v4 on the error stream holds a Status; before it, text. */
export const SPDY_COMMAND_PROTOCOLS = [
  'v4.channel.k8s.io',
  'v3.channel.k8s.io',
  'v2.channel.k8s.io',
  'channel.k8s.io',
] as const

/** How long a client may take to open its streams, in ms. */
const OPEN_TIMEOUT = 30_000

/** Opens the channel of a command over a session; rejects when the client does not open the streams it asked for. */
export function spdyCommand(
  link: Link,
  protocol: (typeof SPDY_COMMAND_PROTOCOLS)[number],
  options: CommandOptions,
  clock: Clock,
): Promise<CommandChannel> {
  const inputs = commandInputs(options)
  const gone = new AbortController()
  const opened = new Map<string, SpdyStream>()
  const wanted = ['error']
  if (options.stdin) wanted.push('stdin')
  if (options.stdout) wanted.push('stdout')
  if (options.stderr && !options.tty) wanted.push('stderr')
  if (options.tty && protocol !== 'v2.channel.k8s.io' && protocol !== 'channel.k8s.io') wanted.push('resize')

  const pump = async (type: string, stream: SpdyStream) => {
    if (type === 'stdin') {
      for await (const chunk of stream.incoming) await inputs.stdin?.push(chunk)
      inputs.stdin?.end()
    } else if (type === 'resize') {
      let text = ''
      for await (const chunk of stream.incoming) {
        text += chunk.toString('utf8')
        // One JSON object after another, without a separator that can be relied on.
        for (let end = text.indexOf('}'); end >= 0; end = text.indexOf('}')) {
          const size = parseSize(Buffer.from(text.slice(0, end + 1)))
          if (size) void inputs.resize?.push(size)
          text = text.slice(end + 1)
        }
      }
      inputs.resize?.end()
    } else for await (const _ of stream.incoming);
  }

  return new Promise((resolve, reject) => {
    const session = serveSpdy(link, stream => {
      const type = stream.headers.streamtype ?? ''
      if (!wanted.includes(type) || opened.has(type)) throw new Error(`stream of type ${type} was not asked for`)
      opened.set(type, stream)
      void pump(type, stream)
      if (opened.size === wanted.length) ready()
    })
    const timer = clock.after(OPEN_TIMEOUT, () => {
      session.close()
      reject(new Error(`the client opened ${opened.size} of ${wanted.length} streams in ${OPEN_TIMEOUT / 1000} s`))
    })
    void session.done.then(() => {
      timer.cancel()
      inputs.stdin?.end()
      inputs.resize?.end()
      gone.abort()
      reject(new Error('the client went away before its streams were open'))
    })
    const ready = () => {
      timer.cancel()
      const write = (output: 'stdout' | 'stderr', chunk: Uint8Array) =>
        opened.get(output)?.write(chunk) ?? Promise.resolve()
      resolve({
        streams: commandStreams(options, inputs, write, gone.signal),
        async finish(status) {
          const { status: outcome, message } = status as { status?: string; message?: string }
          const error = opened.get('error')
          if (protocol === 'v4.channel.k8s.io') await error?.write(Buffer.from(JSON.stringify(status)))
          else if (outcome !== 'Success') await error?.write(Buffer.from(message ?? ''))
          for (const stream of opened.values()) await stream.end()
          session.close()
          inputs.stdin?.cancel()
          inputs.resize?.cancel()
        },
      })
    }
  })
}
