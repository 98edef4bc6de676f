/** exec and attach as a client of a node asks for them: over SPDY, as kube-apiserver and kubelets speak it. */
import { StatusError, type StatusLike } from '../../api/machinery/status-error.ts'
import { readBody } from '../../lib/bounded-body.ts'
import type { CommandStreams } from '../node-api.ts'
import type { Link } from './link.ts'
import { openSpdy, type SpdyStream } from './spdy.ts'

/** The protocol to ask for when the connection is upgraded. */
export const REMOTE_COMMAND_PROTOCOL = 'v4.channel.k8s.io'

/** A node's Status or sentence of what went wrong is shorter, bytes. */
export const ERROR_LIMIT = 64 * 1024

async function pour(from: SpdyStream, to: ((chunk: Uint8Array) => Promise<void>) | undefined): Promise<void> {
  for await (const chunk of from.incoming) await to?.(chunk)
}

/** The exit code that a Status tells. Throws the error that it is otherwise. */
function exitCodeOf(text: string): number {
  if (!text) throw new Error('the connection to the node broke before the command had ended')
  let status: StatusLike
  try {
    status = JSON.parse(text) as StatusLike
  } catch {
    throw new Error(text)
  }
  if (status.status === 'Success') return 0
  if (status.reason === 'NonZeroExitCode') {
    const code = Number(status.details?.causes?.find(each => each.reason === 'ExitCode')?.message)
    if (Number.isInteger(code)) return code
  }
  throw StatusError.from({ kind: 'Status', ...status })
}

/**
 * Runs a command over an upgraded connection; resolves with its exit code when its output was delivered. The streams
 * that are there are those that were asked for in the request.
 */
export async function remoteCommand(link: Link, tty: boolean, streams: CommandStreams): Promise<number> {
  const session = openSpdy(link)
  const cut = () => session.close()
  streams.signal.addEventListener('abort', cut, { once: true })
  try {
    const open = (streamtype: string) => session.open({ streamtype })
    const error = open('error')
    const stdin = streams.stdin && open('stdin')
    const stdout = streams.stdout && open('stdout')
    const stderr = streams.stderr && !tty ? open('stderr') : undefined
    const resize = tty ? open('resize') : undefined
    const type = async () => {
      for await (const chunk of streams.stdin!) await stdin!.write(Buffer.from(chunk))
      await stdin!.end()
    }
    const size = async () => {
      for await (const { columns, rows } of streams.resize!)
        await resize!.write(Buffer.from(JSON.stringify({ Width: columns, Height: rows })))
    }
    if (stdin) void type().catch(cut)
    if (resize && streams.resize) void size().catch(cut)
    const outputs = Promise.all([stdout && pour(stdout, streams.stdout), stderr && pour(stderr, streams.stderr)])
    const [text] = await Promise.all([readBody(error.incoming, ERROR_LIMIT), outputs])
    return exitCodeOf(text.toString())
  } finally {
    streams.signal.removeEventListener('abort', cut)
    session.close()
  }
}
