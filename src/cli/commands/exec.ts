import type { RawData } from 'ws'
import { frame, openChannels } from '../channels.ts'
import { defineCommand, NAMESPACE, namespaceOf } from '../command.ts'
import type { Context } from '../context.ts'
import { UserError } from '../context.ts'
import { podsOf } from '../resources/pods-of.ts'

/** Channels of remotecommand.k8s.io. */
const STDIN = 0
const STDOUT = 1
const STDERR = 2
const ERROR = 3
const RESIZE = 4
/** v5: tells the server that a channel of ours has ended. */
const CLOSE = 255

/** The exit code that the final Status carries. */
function exitCodeOf(status: {
  status?: string
  message?: string
  details?: { causes?: { reason?: string; message?: string }[] }
}): number {
  if (status.status === 'Success') return 0
  const code = status.details?.causes?.find(cause => cause.reason === 'ExitCode')?.message
  if (code === undefined) throw new UserError(status.message ?? 'the command failed')
  return Number(code)
}

/** Passes the terminal's input on; returns a function that gives the terminal back. */
function forwardInput({ io }: Context, socket: Awaited<ReturnType<typeof openChannels>>, tty: boolean): () => void {
  const { stdin } = io
  const resize = () =>
    socket.send(
      frame(RESIZE, Buffer.from(JSON.stringify({ Width: process.stdout.columns, Height: process.stdout.rows }))),
    )
  const onData = (chunk: Buffer) => socket.send(frame(STDIN, chunk))
  const onEnd = () => socket.send(Buffer.of(CLOSE, STDIN))
  if (tty && stdin.isTTY) {
    stdin.setRawMode(true)
    process.stdout.on('resize', resize)
    resize()
  }
  stdin.on('data', onData).once('end', onEnd).resume()
  return () => {
    stdin.off('data', onData).off('end', onEnd).pause()
    process.stdout.off('resize', resize)
    if (stdin.isTTY) stdin.setRawMode(false)
  }
}

export const exec = defineCommand({
  name: 'exec',
  arguments: '<target> [command...]',
  summary: 'run a command where a pod runs: exec -it web-abc -- sh',
  options: [
    { flags: '-i, --stdin', description: 'pass standard input on' },
    { flags: '-t, --tty', description: 'give the command a terminal' },
    { flags: '-c, --container <name>', description: 'in this container (default: the first)' },
    NAMESPACE,
    { flags: '--kubeconfig <file>', description: 'the cluster to talk to' },
  ],
  async run([target = '', ...command], options, context) {
    if (command.length === 0) throw new UserError('which command?', `For example: tutti exec -it ${target} -- sh`)
    const connection = await context.connect()
    const namespace = namespaceOf(options, connection.namespace)
    const [pod] = await podsOf(connection.transport, namespace, target)
    const tty = options.tty === true
    const query = new URLSearchParams({
      stdout: 'true',
      ...(tty ? { tty: 'true' } : { stderr: 'true' }),
      ...(options.stdin ? { stdin: 'true' } : {}),
      container: String(options.container ?? pod!.spec?.containers?.[0]?.name),
    })
    for (const word of command) query.append('command', word)
    const socket = await openChannels(
      connection,
      `/api/v1/namespaces/${namespace}/pods/${pod!.metadata?.name}/exec?${query}`,
      ['v5.channel.k8s.io', 'v4.channel.k8s.io'],
    )
    const release = options.stdin ? forwardInput(context, socket, tty) : () => {}
    try {
      return await new Promise<number>((resolve, reject) => {
        socket.on('message', (data: RawData) => {
          const bytes = data as Buffer
          const payload = bytes.subarray(1)
          if (bytes[0] === STDOUT) process.stdout.write(payload)
          else if (bytes[0] === STDERR) process.stderr.write(payload)
          else if (bytes[0] === ERROR) {
            try {
              resolve(exitCodeOf(JSON.parse(payload.toString())))
            } catch (error) {
              reject(error)
            }
          }
        })
        socket.once('close', () => reject(new UserError('the connection was closed before the command ended')))
        context.signal.addEventListener('abort', () => socket.terminate(), { once: true })
      })
    } finally {
      release()
      socket.close()
    }
  },
})
